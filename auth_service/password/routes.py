"""`POST /forgot-password`, `/verify-reset`, `/reset-password`, `/change-password`."""

from aiohttp import web

from auth_service.destination import destination_of
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.schemas import Sent
from auth_service.password import service
from auth_service.password.change import change
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
from auth_service.password.service import TICKET_LIFE, Named
from auth_service.rate_limit.errors import ProofRequired
from auth_service.resources import CALLER, PARTS
from auth_service.revocation.errors import RevocationPending
from auth_service.session.responses import client_of, entrance_of
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
    answers={202: Sent},
    errors=(ProofRequired, RateLimited),
    auth=False,
)
async def forgot_password(request: web.Request) -> web.Response:
    """Answer alike whether the account exists or not."""
    body, parts = await read_body(request, ForgotBody), request.app[PARTS]
    named = _named(body, parts.settings)
    challenge = await service.ask(parts, named, client_of(request, body))
    return json_response(Sent.of(challenge, "If there is such an account, a code was sent"), 202)


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
    entrance = entrance_of(request, body=body)
    ticket = await service.exchange(parts, named, body.otp, body.challenge, entrance)
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
    entrance, password = entrance_of(request, body=body), body.new_password
    if body.reset_ticket is not None:
        await service.reset_by_ticket(parts, body.reset_ticket, password, entrance)
    else:
        named, code = _named(body, parts.settings), body.otp or ""
        await service.reset_by_code(parts, named, code, body.challenge, entrance, password=password)
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
    await change(
        request.app[PARTS],
        request[CALLER],
        body.current_password,
        body.new_password,
        entrance_of(request, body=body),
    )
    return json_response(PasswordStored(message="Password changed"))


def _named(body: NameBody, settings: AuthSettings) -> Named:
    if body.username is not None:
        return Named("username", body.username)
    destination = destination_of(settings, body.mobile, body.email)
    return Named(destination.channel, destination.address)
