"""`POST /forgot-password`, `/verify-reset`, `/reset-password`, `/change-password`."""

from aiohttp import web

from auth_service.destination import parse_destination
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.schemas import ChallengeResponse
from auth_service.password import service
from auth_service.password.change import replace_password
from auth_service.password.errors import WrongPassword
from auth_service.password.schemas import (
    ChangeBody,
    ForgotBody,
    NameBody,
    PasswordStored,
    ResetBody,
    ResetTicket,
    VerifyResetBody,
)
from auth_service.password.service import TICKET_LIFE, AccountIdentifier
from auth_service.rate_limit.errors import ProofRequired
from auth_service.resources import CALLER, PARTS
from auth_service.revocation.errors import RevocationPending
from auth_service.session.responses import read_client, read_context
from auth_service.settings import AuthSettings
from shared.errors import RateLimited
from shared.openapi import Routes
from shared.request import read_body
from shared.responses import json_response

routes = Routes("passwords")


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
    body, parts = await read_body(request, ForgotBody), request.app[PARTS]
    named = _named(body, parts.settings)
    challenge = await service.ask(parts, named, read_client(request, body))
    return json_response(
        ChallengeResponse.of(challenge, "If there is such an account, a code was sent"), 202
    )


@routes.add(
    "POST",
    "/verify-reset",
    summary="Exchange the code for a ticket that sets a new password",
    body=VerifyResetBody,
    answers={200: ResetTicket},
    errors=(OtpInvalid, RateLimited),
    auth=False,
)
async def verify_reset(request: web.Request) -> web.Response:
    """Spend the code."""
    body, parts = await read_body(request, VerifyResetBody), request.app[PARTS]
    named = _named(body, parts.settings)
    context = read_context(request, body=body)
    ticket = await service.exchange(parts, named, body.otp, body.challenge, context)
    return json_response(
        ResetTicket(reset_ticket=ticket, expires_in=int(TICKET_LIFE.total_seconds()))
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
    """Spend the ticket or the code, unless the password is refused."""
    body, parts = await read_body(request, ResetBody), request.app[PARTS]
    context, password = read_context(request, body=body), body.new_password
    if body.reset_ticket is not None:
        await service.reset_by_ticket(parts, body.reset_ticket, password, context)
    else:
        named, code = _named(body, parts.settings), body.otp or ""
        await service.reset_by_code(parts, named, code, body.challenge, context, password=password)
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
    """Take the current password as its own proof."""
    body = await read_body(request, ChangeBody)
    await replace_password(
        request.app[PARTS],
        request[CALLER],
        body.current_password,
        body.new_password,
        read_context(request, body=body),
    )
    return json_response(PasswordStored(message="Password changed"))


def _named(body: NameBody, settings: AuthSettings) -> AccountIdentifier:
    if body.username is not None:
        return AccountIdentifier("username", body.username)
    destination = parse_destination(settings, body.mobile, body.email)
    return AccountIdentifier(destination.channel, destination.address)
