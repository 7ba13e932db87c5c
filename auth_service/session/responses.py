"""Token pairs as answers: the one place that issues a session's tokens to a client."""

from collections.abc import Callable
from dataclasses import replace
from math import ceil

from aiohttp import web

from auth_service.audit.origin import read_user_agent
from auth_service.client import Client
from auth_service.device.schemas import DeviceBody, SendBody
from auth_service.language import parse_accept_language
from auth_service.resources import CLOCK
from auth_service.session.cookies import (
    csrf_token,
    require_can_issue_tokens,
    set_access_cookies,
    set_device_cookie,
    set_refresh_cookie,
)
from auth_service.session.model import Session, SignedInUser, SignInContext
from auth_service.session.resources import DEVICE_TOKENS, PROOF_OF_WORK
from auth_service.session.schemas import CSRF, IN_COOKIES, SignInBody, TokenPair, Transport
from auth_service.signing.resources import SIGNER
from auth_service.signing.service import AccessToken, Subject
from auth_service.user.model import User
from auth_service.user.schemas import UserResponse
from shared.client_address import client_address
from shared.credentials import DEVICE_COOKIE, find_cookie
from shared.errors import MalformedRequest
from shared.problem import REQUEST_ID
from shared.responses import json_response


def read_client(request: web.Request, body: DeviceBody | None = None) -> Client:
    """Return the client, with the device token and the proof of work that it sent, if any."""
    token = body.device if body and body.device else _device_cookie(request)
    solution = body.altcha if isinstance(body, SendBody) else None
    return Client(
        client_address(request),
        read_user_agent(request),
        request[REQUEST_ID],
        device=request.app[DEVICE_TOKENS].read(token),
        solution=request.app[PROOF_OF_WORK].read_solution(solution),
        presented_solution=bool(solution),
        languages=parse_accept_language(request.headers.getall("Accept-Language", ())),
    )


def _device_cookie(request: web.Request) -> str | None:
    """Return the device cookie; None when it occurs twice, since it grants nothing."""
    try:
        return find_cookie(request, DEVICE_COOKIE)
    except MalformedRequest:
        return None


def read_request_context(request: web.Request, body: DeviceBody | None = None) -> SignInContext:
    """Return the context of a request that starts no session."""
    return SignInContext(read_client(request, body), ())


def read_sign_in_context(
    request: web.Request, amr: tuple[str, ...], body: SignInBody
) -> SignInContext:
    """Return the context of a sign-in; a device without a token gets one in the answer.

    The cookie counts only if the answer sets cookies: a script must not read its device in a body.
    """
    client = read_client(request, body)
    may_be_cookie = not body.device and body.transport == "body"
    if client.device is None or may_be_cookie:
        device_id = request.app[DEVICE_TOKENS].generate_id()
        client = replace(client, device=device_id, device_is_new=True)
    return SignInContext(client, amr)


def sign_access_token(
    request: web.Request, user: User, session: Session, csrf: str | None = None
) -> AccessToken:
    """Sign an access token for the session; `csrf` for one that goes into a cookie."""
    subject = Subject(
        user,
        session.id,
        session.expires_at,
        session.amr,
        session.acr,
        session.auth_time,
        session.rotations,
        csrf,
    )
    return request.app[SIGNER].sign(subject)


def token_pair_response(
    request: web.Request,
    signed_in: SignedInUser,
    status: int = 200,
    *,
    transport: Transport,
    extend: Callable[[TokenPair], TokenPair] = lambda pair: pair,
) -> web.Response:
    """Sign an access token for the session and answer with both tokens, or set them as cookies.

    `extend`: what the answer holds besides.
    """
    require_can_issue_tokens(request, transport)
    session, csrf = signed_in.session, None
    if transport == "cookie":
        csrf = csrf_token(request, session.id)
    tokens = request.app[DEVICE_TOKENS]
    remaining = signed_in.refresh_expires_at - request.app[CLOCK].now()
    access_token = sign_access_token(request, signed_in.user, session, csrf)
    pair = TokenPair(
        access_token=access_token.text,
        expires_in=access_token.expires_in,
        refresh_token=signed_in.refresh_token,
        refresh_expires_in=max(0, ceil(remaining.total_seconds())),
        user=UserResponse.model_validate(signed_in.user),
        login_at=int(session.created_at.timestamp()),
        csrf=csrf,
        device=tokens.issue(session.device_id or tokens.generate_id()),
    )
    answer = extend(pair)
    if csrf is None:
        return json_response(answer, status, without=CSRF)
    response = json_response(answer, status, without=IN_COOKIES)
    set_access_cookies(response, pair.access_token, csrf, pair.refresh_expires_in)
    set_refresh_cookie(response, pair.refresh_token, pair.refresh_expires_in)
    set_device_cookie(response, pair.device)
    return response
