"""Token pairs as answers: the one place where a session's tokens are handed out."""

from dataclasses import replace
from math import ceil

from aiohttp import web

from auth_service.audit.origin import read_user_agent
from auth_service.client import Client
from auth_service.device.schemas import DeviceBody, SendBody
from auth_service.resources import CLOCK, DEVICE_TOKENS, SIGNER, WORK
from auth_service.session.cookies import (
    csrf_token,
    require_can_issue,
    set_access_cookies,
    set_device_cookie,
    set_refresh_cookie,
)
from auth_service.session.model import Session, SignedInUser, SignInContext
from auth_service.session.schemas import IN_COOKIES, Activation, TokenPair, Transport
from auth_service.signing.service import Subject
from auth_service.user.model import User
from auth_service.user.schemas import UserAnswer
from shared.credentials import DEVICE, find_cookie
from shared.errors import MalformedRequest
from shared.problem import REQUEST_ID
from shared.request import client_address
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
        solution=request.app[WORK].read_solution(solution),
        presented_solution=bool(solution),
    )


def _device_cookie(request: web.Request) -> str | None:
    """Return the cookie; two of it are as good as none, since it grants nothing."""
    try:
        return find_cookie(request, DEVICE)
    except MalformedRequest:
        return None


def read_context(
    request: web.Request, amr: tuple[str, ...] = (), body: DeviceBody | None = None
) -> SignInContext:
    """Return how the request's sender comes in."""
    return SignInContext(read_client(request, body), amr)


def read_sign_in_context(
    request: web.Request, amr: tuple[str, ...], body: DeviceBody
) -> SignInContext:
    """Return how somebody signs in: a device without a token gets one by the answer."""
    client = read_client(request, body)
    if client.device is None:
        drawn = request.app[DEVICE_TOKENS].generate_id()
        client = replace(client, device=drawn, device_is_new=True)
    return SignInContext(client, amr)


def sign_access_token(
    request: web.Request, user: User, session: Session, csrf: str | None = None
) -> str:
    """Sign an access token for the session; `csrf` for one that goes into a cookie."""
    subject = Subject(user, session.id, session.amr, session.auth_time, csrf)
    return request.app[SIGNER].sign(subject)


def token_pair_response(
    request: web.Request,
    signed_in: SignedInUser,
    status: int = 200,
    *,
    transport: Transport,
    message: str | None = None,
) -> web.Response:
    """Sign an access token for the session and answer with both tokens, or set them as cookies."""
    require_can_issue(request, transport)
    session, csrf = signed_in.session, None
    if transport == "cookie":
        csrf = csrf_token(request, session.id)
    tokens = request.app[DEVICE_TOKENS]
    left = signed_in.refresh_expires_at - request.app[CLOCK].now()
    pair = TokenPair(
        access_token=sign_access_token(request, signed_in.user, session, csrf),
        expires_in=request.app[SIGNER].life,
        refresh_token=signed_in.refresh_token,
        refresh_expires_in=max(0, ceil(left.total_seconds())),
        user=UserAnswer.model_validate(signed_in.user),
        login_at=int(session.created_at.timestamp()),
        device=tokens.issue(session.device_id or tokens.generate_id()),
    )
    shown = pair if message is None else Activation(message=message, **dict(pair))
    if csrf is None:
        return json_response(shown, status)
    response = json_response(shown, status, without=IN_COOKIES)
    set_access_cookies(response, pair.access_token, csrf, pair.refresh_expires_in)
    set_refresh_cookie(response, pair.refresh_token, pair.refresh_expires_in)
    set_device_cookie(response, pair.device)
    return response
