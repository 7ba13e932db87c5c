"""`POST /login`: by code in two steps, or by password."""

from aiohttp import web

from auth_service.destination import Destination, destination_of, mail_destination
from auth_service.login import service
from auth_service.login.schemas import LoginBody
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.schemas import Sent
from auth_service.password.errors import InvalidCredentials
from auth_service.rate_limit.errors import ProofRequired
from auth_service.resources import PARTS, SETTINGS
from auth_service.session.cookies import require_issuable
from auth_service.session.errors import AccountDisabled
from auth_service.session.model import BY_CODE, BY_PASSWORD
from auth_service.session.responses import client_of, sign_in_of, token_pair
from auth_service.session.schemas import TokenPair
from auth_service.user.errors import AccountNotVerified, UserNotRegistered
from shared.errors import CsrfFailed, RateLimited
from shared.openapi import Routes
from shared.request import read_body
from shared.responses import json_response

routes = Routes("sign-in")


@routes.add(
    "POST",
    "/login",
    summary="Ask for a code, send it back, or sign in by password",
    body=LoginBody,
    answers={200: TokenPair, 202: Sent},
    errors=(
        UserNotRegistered,
        AccountNotVerified,
        AccountDisabled,
        OtpInvalid,
        InvalidCredentials,
        CsrfFailed,
        ProofRequired,
        RateLimited,
    ),
    auth=False,
)
async def login(request: web.Request) -> web.Response:
    """Take the way that the body says."""
    body = await read_body(request, LoginBody)
    if body.password is not None:
        return await _by_password(request, body, body.password)
    destination = destination_of(request.app[SETTINGS], body.mobile, body.email)
    if body.otp is None:
        return await _ask(request, body, destination)
    return await _by_code(request, body, destination, body.otp)


async def _ask(request: web.Request, body: LoginBody, destination: Destination) -> web.Response:
    client = client_of(request, body)
    challenge = await service.ask(request.app[PARTS], destination, client)
    return json_response(Sent.of(challenge, "OTP sent successfully"), 202)


async def _by_code(
    request: web.Request, body: LoginBody, destination: Destination, code: str
) -> web.Response:
    require_issuable(request, body.transport)
    entrance = sign_in_of(request, BY_CODE[destination.channel], body)
    signed_in = await service.enter_by_code(
        request.app[PARTS], destination, code, body.challenge, entrance
    )
    return token_pair(request, signed_in, transport=body.transport)


async def _by_password(request: web.Request, body: LoginBody, password: str) -> web.Response:
    require_issuable(request, body.transport)
    parts, entrance = request.app[PARTS], sign_in_of(request, BY_PASSWORD, body)
    if body.username is not None:
        signed_in = await service.enter_by_password(
            parts, "username", body.username, password, entrance
        )
    else:
        email = mail_destination(body.email or "", field="email").address
        signed_in = await service.enter_by_password(parts, "email", email, password, entrance)
    return token_pair(request, signed_in, transport=body.transport)
