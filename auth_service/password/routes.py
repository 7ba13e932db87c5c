"""`POST /forgot-password`, `/verify-reset`, `/reset-password`, `/change-password`."""

from aiohttp import web

from auth_service.destination import parse_destination
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.schemas import ChallengeResponse
from auth_service.password.change import PasswordChangeService
from auth_service.password.errors import WrongPassword
from auth_service.password.model import AccountIdentifier
from auth_service.password.schemas import (
    ChangeBody,
    ForgotBody,
    NameBody,
    PasswordStored,
    ResetBody,
    ResetTicketResponse,
    VerifyResetBody,
)
from auth_service.password.service import PasswordResetService
from auth_service.password.tickets import TICKET_LIFE
from auth_service.rate_limit.errors import ProofRequired
from auth_service.resources import SETTINGS
from auth_service.revocation.errors import RevocationPending
from auth_service.session.resources import CALLER
from auth_service.session.responses import read_client, read_request_context
from auth_service.settings import AuthSettings
from shared.errors import RateLimited
from shared.openapi import Routes
from shared.request import read_body
from shared.responses import json_response

routes = Routes("passwords")
PASSWORD_RESET = web.AppKey("password_reset", PasswordResetService)
PASSWORD_CHANGE = web.AppKey("password_change", PasswordChangeService)


@routes.add(
    "POST",
    "/forgot-password",
    summary="Ask for a code, and by mail a link, that replaces the password",
    body=ForgotBody,
    answers={202: ChallengeResponse},
    errors=(ProofRequired, RateLimited),
    auth=False,
)
async def forgot_password(request: web.Request) -> web.Response:
    """Answer alike whether the account exists or not."""
    body, app = await read_body(request, ForgotBody), request.app
    identifier = _identifier(body, app[SETTINGS])
    challenge = await app[PASSWORD_RESET].request_code(identifier, read_client(request, body))
    return json_response(
        ChallengeResponse.of(challenge, "If there is such an account, a code was sent"), 202
    )


@routes.add(
    "POST",
    "/verify-reset",
    summary="Exchange the code for a ticket that sets a new password",
    body=VerifyResetBody,
    answers={200: ResetTicketResponse},
    errors=(OtpInvalid, RateLimited),
    auth=False,
)
async def verify_reset(request: web.Request) -> web.Response:
    """Exchange the code."""
    body, app = await read_body(request, VerifyResetBody), request.app
    identifier = _identifier(body, app[SETTINGS])
    context = read_request_context(request, body)
    ticket = await app[PASSWORD_RESET].exchange_code(identifier, body.otp, body.challenge, context)
    return json_response(
        ResetTicketResponse(reset_ticket=ticket, expires_in=int(TICKET_LIFE.total_seconds()))
    )


@routes.add(
    "POST",
    "/reset-password",
    summary="Set a new password by ticket or by code; ends every session",
    body=ResetBody,
    answers={200: PasswordStored},
    errors=(OtpInvalid, RateLimited, RevocationPending),
    auth=False,
)
async def reset_password(request: web.Request) -> web.Response:
    """Reset the password by ticket or code."""
    body, app = await read_body(request, ResetBody), request.app
    context, password = read_request_context(request, body), body.new_password
    if body.reset_ticket is not None:
        await app[PASSWORD_RESET].reset_by_ticket(body.reset_ticket, password, context)
    else:
        identifier, code = _identifier(body, app[SETTINGS]), body.otp or ""
        await app[PASSWORD_RESET].reset_by_code(
            identifier, code, body.challenge, context, password=password
        )
    return json_response(PasswordStored(message="Password reset. Sign in again."))


@routes.add(
    "POST",
    "/change-password",
    summary="Set another password; ends every other session",
    body=ChangeBody,
    answers={200: PasswordStored},
    errors=(WrongPassword, RateLimited, RevocationPending),
)
async def change_password(request: web.Request) -> web.Response:
    """Change the password."""
    body = await read_body(request, ChangeBody)
    await request.app[PASSWORD_CHANGE].change(
        request[CALLER],
        body.current_password,
        body.new_password,
        read_request_context(request, body),
    )
    return json_response(PasswordStored(message="Password changed"))


def _identifier(body: NameBody, settings: AuthSettings) -> AccountIdentifier:
    if body.username is not None:
        return AccountIdentifier("username", body.username)
    destination = parse_destination(settings, body.mobile, body.email, body.number_field)
    return AccountIdentifier(destination.channel, destination.address)
