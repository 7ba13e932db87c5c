"""`POST /signup`: one address for both steps."""

from aiohttp import web

from auth_service.audit.origin import user_agent
from auth_service.destination import Destination, phone_destination
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.schemas import Sent
from auth_service.resources import (
    AUDIT,
    CHALLENGES,
    CLOCK,
    DATABASE,
    ENTROPY,
    LIVES,
    NOTICES,
    SETTINGS,
)
from auth_service.session.answers import token_pair
from auth_service.session.cookies import require_issuable
from auth_service.session.errors import AccountDisabled
from auth_service.session.model import Device
from auth_service.session.schemas import TokenPair
from auth_service.signup import service
from auth_service.signup.schemas import SignupBody
from shared.answer import answer
from shared.errors import CsrfFailed, RateLimited
from shared.openapi import Routes
from shared.problem import REQUEST_ID
from shared.request import client_address, read_body

routes = Routes("sign-up")


@routes.add(
    "POST",
    "/signup",
    summary="Ask for a code with `name`; send it back as `otp` to sign up or in",
    body=SignupBody,
    answers={200: TokenPair, 201: TokenPair, 202: Sent},
    errors=(OtpInvalid, AccountDisabled, CsrfFailed, RateLimited),
    auth=False,
)
async def signup(request: web.Request) -> web.Response:
    """Take the first step or the second one, by whether there is a code."""
    body = await read_body(request, SignupBody)
    settings = request.app[SETTINGS]
    number = phone_destination(body.phone_number, settings, field="phone_number")
    return await (_enter(request, body, number) if body.otp else _ask(request, body, number))


async def _ask(request: web.Request, body: SignupBody, number: Destination) -> web.Response:
    app = request.app
    challenge = await service.ask(
        app[CHALLENGES],
        app[DATABASE],
        phone_number=number,
        name=body.name or "",
        client=client_address(request),
        request_id=request[REQUEST_ID],
        quiet=app[SETTINGS].conceals,
    )
    return answer(Sent.of(challenge, "OTP sent successfully"), 202)


async def _enter(request: web.Request, body: SignupBody, number: Destination) -> web.Response:
    app = request.app
    require_issuable(request, body.transport)
    signed_in, is_new = await service.enter(
        app[CHALLENGES],
        app[DATABASE],
        app[NOTICES],
        app[AUDIT],
        app[LIVES],
        phone_number=number,
        code=body.otp or "",
        handle=body.challenge,
        device=Device(client_address(request), user_agent(request)),
        request_id=request[REQUEST_ID],
        clock=app[CLOCK],
        entropy=app[ENTROPY],
    )
    return token_pair(request, signed_in, 201 if is_new else 200, transport=body.transport)
