"""One's own account: seen, changed, taken along, removed."""

from aiohttp import web

from auth_service.account import service
from auth_service.account.document import render_document, send_document
from auth_service.account.errors import ExportInProgress
from auth_service.account.export import open_export
from auth_service.account.schemas import ADDRESSES, NAMES, Export, ProfileBody, VerifyContactBody
from auth_service.destination import parse_destination
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.schemas import ChallengeResponse
from auth_service.rate_limit.errors import ProofRequired
from auth_service.resources import CALLER, CLOCK, EXPORT_LEASES, PARTS
from auth_service.revocation.errors import RevocationPending
from auth_service.session.cookies import clear_cookies
from auth_service.session.responses import read_context
from auth_service.step_up.errors import StepUpRequired
from auth_service.user.schemas import UserAnswer
from shared.errors import Conflict, RateLimited
from shared.openapi import Routes
from shared.request import read_body
from shared.responses import json_response

EXPORT_SECONDS = 600  # some 100 MB at 200 kB a second
routes = Routes("account")


@routes.add("GET", "/me", summary="The signed-in user", answers={200: UserAnswer})
async def get_me(request: web.Request) -> web.Response:
    """Answer with the caller."""
    return json_response(UserAnswer.model_validate(request[CALLER].user))


@routes.add(
    "PATCH",
    "/me",
    summary="Change names; a new mobile or email is stored once its code came back",
    body=ProfileBody,
    answers={200: UserAnswer, 202: ChallengeResponse},
    errors=(StepUpRequired, Conflict, ProofRequired, RateLimited),
)
async def change_me(request: web.Request) -> web.Response:
    """Store names, or send a code to a new address."""
    body, parts = await read_body(request, ProfileBody), request.app[PARTS]
    caller, context = request[CALLER], read_context(request, body=body)
    if body.model_fields_set & ADDRESSES:
        to = parse_destination(parts.settings, body.mobile, body.email)
        challenge = await service.ask(parts, caller, to, context)
        return json_response(ChallengeResponse.of(challenge, "OTP sent successfully"), 202)
    changes = body.model_dump(include=body.model_fields_set & NAMES)
    user = await service.change_profile(parts, caller, changes, context)
    return json_response(UserAnswer.model_validate(user))


@routes.add(
    "POST",
    "/me/verify-contact",
    summary="Prove a new mobile or email by the code that was sent there",
    body=VerifyContactBody,
    answers={200: UserAnswer},
    errors=(OtpInvalid, StepUpRequired, Conflict, RateLimited),
)
async def verify_contact(request: web.Request) -> web.Response:
    """Store the address."""
    body, parts = await read_body(request, VerifyContactBody), request.app[PARTS]
    to = parse_destination(parts.settings, body.mobile, body.email)
    user = await service.verify(
        parts,
        request[CALLER],
        to,
        code=body.otp,
        handle=body.challenge,
        context=read_context(request, body=body),
    )
    return json_response(UserAnswer.model_validate(user))


@routes.add(
    "DELETE",
    "/me",
    summary="Remove the account and everything of it, here and at media_service",
    answers={204: None},
    errors=(StepUpRequired, RevocationPending),
)
async def delete_me(request: web.Request) -> web.Response:
    """Remove the caller."""
    await service.delete(request.app[PARTS], request[CALLER], read_context(request))
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
    app, context = request.app, read_context(request)
    async with open_export(app[PARTS], app[EXPORT_LEASES], request[CALLER], context) as export:
        return await send_document(request, render_document(export, app[CLOCK].now()))
