"""`POST /login`: by code in two steps, or by password."""

from aiohttp import web

from auth_service.destination import Destination, parse_destination, parse_mail_destination
from auth_service.login.schemas import LoginBody
from auth_service.login.service import LoginService
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.schemas import ChallengeResponse
from auth_service.password.errors import InvalidCredentials
from auth_service.password.model import AccountIdentifier
from auth_service.rate_limit.errors import ProofRequired
from auth_service.resources import SETTINGS
from auth_service.session.cookies import require_can_issue_tokens
from auth_service.session.errors import AccountDisabled, MfaEnrolmentRequired, MfaRequired
from auth_service.session.model import BY_CODE, BY_PASSWORD
from auth_service.session.responses import read_client, read_sign_in_context, token_pair_response
from auth_service.session.schemas import TokenPair
from auth_service.user.errors import AccountNotVerified, UserNotRegistered
from shared.errors import CsrfFailed, RateLimited
from shared.openapi import Routes
from shared.request import read_body
from shared.responses import json_response

routes = Routes("sign-in")
LOGIN = web.AppKey("login", LoginService)


@routes.add(
    "POST",
    "/login",
    summary="Ask for a code, send it back, or sign in by password",
    body=LoginBody,
    answers={200: TokenPair, 202: ChallengeResponse},
    errors=(
        UserNotRegistered,
        AccountNotVerified,
        AccountDisabled,
        MfaRequired,
        MfaEnrolmentRequired,
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
    destination = parse_destination(
        request.app[SETTINGS], body.mobile, body.email, body.number_field
    )
    if body.otp is None:
        return await _request_code(request, body, destination)
    return await _by_code(request, body, destination, body.otp)


async def _request_code(
    request: web.Request, body: LoginBody, destination: Destination
) -> web.Response:
    client = read_client(request, body)
    challenge = await request.app[LOGIN].request_code(destination, client)
    return json_response(ChallengeResponse.of(challenge, "OTP sent successfully"), 202)


async def _by_code(
    request: web.Request, body: LoginBody, destination: Destination, code: str
) -> web.Response:
    require_can_issue_tokens(request, body.transport)
    context = read_sign_in_context(request, BY_CODE[destination.channel], body)
    signed_in = await request.app[LOGIN].by_code(destination, code, body.challenge, context)
    return token_pair_response(request, signed_in, transport=body.transport)


async def _by_password(request: web.Request, body: LoginBody, password: str) -> web.Response:
    require_can_issue_tokens(request, body.transport)
    context = read_sign_in_context(request, BY_PASSWORD, body)
    if body.username is not None:
        identifier = AccountIdentifier("username", body.username)
    else:
        email = parse_mail_destination(body.email or "", field="email").address
        identifier = AccountIdentifier("email", email)
    signed_in = await request.app[LOGIN].by_password(identifier, password, context)
    return token_pair_response(request, signed_in, transport=body.transport)
