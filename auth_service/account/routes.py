"""The caller's own account: read, change, export, delete."""

from aiohttp import web

from auth_service.account.contact import ContactService
from auth_service.account.document import render_document, send_document
from auth_service.account.errors import ExportInProgress
from auth_service.account.export import ExportService
from auth_service.account.schemas import (
    ADDRESSES,
    PROFILE,
    Export,
    MeResponse,
    ProfileBody,
    VerifyContactBody,
)
from auth_service.account.service import AccountService
from auth_service.destination import parse_destination
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.schemas import ChallengeResponse
from auth_service.rate_limit.errors import ProofRequired
from auth_service.resources import CLOCK, SETTINGS
from auth_service.revocation.errors import RevocationPending
from auth_service.session.cookies import clear_cookies, read_csrf_token
from auth_service.session.errors import StepUpRequired
from auth_service.session.resources import CALLER
from auth_service.session.responses import read_request_context
from auth_service.session.schemas import CSRF
from auth_service.user.schemas import UserResponse
from shared.errors import Conflict, RateLimited
from shared.openapi import Routes
from shared.request import read_body
from shared.responses import json_response

EXPORT_SECONDS = 600  # some 100 MB at 200 kB a second
routes = Routes("account")
ACCOUNT = web.AppKey("account", AccountService)
CONTACT = web.AppKey("contact", ContactService)
EXPORT = web.AppKey("export", ExportService)


@routes.add("GET", "/me", summary="The signed-in user", answers={200: MeResponse})
async def get_me(request: web.Request) -> web.Response:
    """Answer with the caller, and with the session's CSRF token where a cookie brought it."""
    user, csrf = UserResponse.model_validate(request[CALLER].user), read_csrf_token(request)
    without = CSRF if csrf is None else frozenset[str]()
    return json_response(MeResponse(**dict(user), csrf=csrf), without=without)


@routes.add(
    "PATCH",
    "/me",
    summary="Change names and language; a new mobile or email is stored once its code came back",
    body=ProfileBody,
    answers={200: UserResponse, 202: ChallengeResponse},
    errors=(StepUpRequired, Conflict, ProofRequired, RateLimited),
)
async def change_me(request: web.Request) -> web.Response:
    """Store names and language, or send a code to a new address."""
    body, app = await read_body(request, ProfileBody), request.app
    caller, context = request[CALLER], read_request_context(request, body)
    if body.model_fields_set & ADDRESSES:
        to = parse_destination(app[SETTINGS], body.mobile, body.email, body.number_field)
        challenge = await app[CONTACT].request_code(caller, to, context)
        return json_response(ChallengeResponse.of(challenge, "OTP sent successfully"), 202)
    changes = body.model_dump(include=body.model_fields_set & PROFILE)
    user = await app[ACCOUNT].change_profile(caller, changes, context)
    return json_response(UserResponse.model_validate(user))


@routes.add(
    "POST",
    "/me/verify-contact",
    summary="Prove a new mobile or email by the code that was sent there",
    body=VerifyContactBody,
    answers={200: UserResponse},
    errors=(OtpInvalid, StepUpRequired, Conflict, RateLimited),
)
async def verify_contact(request: web.Request) -> web.Response:
    """Store the address."""
    body, app = await read_body(request, VerifyContactBody), request.app
    to = parse_destination(app[SETTINGS], body.mobile, body.email, body.number_field)
    context = read_request_context(request, body)
    user = await app[CONTACT].verify_code(request[CALLER], to, body.otp, body.challenge, context)
    return json_response(UserResponse.model_validate(user))


@routes.add(
    "DELETE",
    "/me",
    summary="Remove the account and everything of it, here and at media_service",
    answers={204: None},
    errors=(StepUpRequired, RevocationPending),
)
async def delete_me(request: web.Request) -> web.Response:
    """Remove the caller."""
    await request.app[ACCOUNT].delete(request[CALLER], read_request_context(request))
    return clear_cookies(request, web.Response(status=204))


@routes.add(
    "GET",
    "/me/export",
    summary="Everything that is held about you",
    answers={200: Export},
    errors=(StepUpRequired, ExportInProgress),
    counts_as_write=True,  # each one leaves an event
    deadline=EXPORT_SECONDS,
)
async def export_me(request: web.Request) -> web.StreamResponse:
    """Send everything, piece by piece."""
    app, context = request.app, read_request_context(request)
    async with app[EXPORT].open(request[CALLER], context) as export:
        return await send_document(request, render_document(export, app[CLOCK].now()))
