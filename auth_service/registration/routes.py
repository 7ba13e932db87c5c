"""`POST /register`, `/verify-otp`, `/resend-otp`."""

from aiohttp import web

from auth_service.destination import destination_of, mail_destination, phone_destination
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.schemas import Sent
from auth_service.rate_limit.errors import ProofRequired
from auth_service.registration import service
from auth_service.registration.errors import AlreadyRegistered
from auth_service.registration.model import Claim
from auth_service.registration.schemas import (
    RegisterBody,
    Registered,
    ResendBody,
    VerifyBody,
)
from auth_service.resources import PARTS, SETTINGS
from auth_service.session.cookies import require_issuable
from auth_service.session.errors import AccountDisabled
from auth_service.session.model import BY_CODE
from auth_service.session.responses import client_of, sign_in_of, token_pair
from auth_service.session.schemas import Activation
from auth_service.settings import AuthSettings
from auth_service.user.errors import UserNotRegistered
from shared.errors import CsrfFailed, RateLimited
from shared.openapi import Routes
from shared.request import read_body
from shared.responses import json_response

ACTIVATED = "OTP verified successfully! Account activated."
REGISTERED = "User registered successfully. OTP sent!"
SENT = "OTP sent successfully"
routes = Routes("registration")


@routes.add(
    "POST",
    "/register",
    summary="Register with a mobile or an email, to be activated by the code sent there",
    body=RegisterBody,
    answers={201: Registered, 202: Sent},
    errors=(AlreadyRegistered, ProofRequired, RateLimited),
    auth=False,
)
async def register(request: web.Request) -> web.Response:
    """Keep what is claimed; where accounts are concealed, say no more than that a code is sent."""
    body, parts = await read_body(request, RegisterBody), request.app[PARTS]
    claim = _claim(body, parts.settings)
    challenge, user_id = await service.register(parts, claim, client_of(request, body))
    if parts.conceals:
        return json_response(Sent.of(challenge, SENT), 202)
    sent = Sent.of(challenge, REGISTERED)
    return json_response(Registered(user_id=user_id, **sent.model_dump()), 201)


@routes.add(
    "POST",
    "/resend-otp",
    summary="Ask for another activation code",
    body=ResendBody,
    answers={202: Sent},
    errors=(UserNotRegistered, ProofRequired, RateLimited),
    auth=False,
)
async def resend_otp(request: web.Request) -> web.Response:
    """Send the code again, where a registration waits for one."""
    body, parts = await read_body(request, ResendBody), request.app[PARTS]
    destination = destination_of(parts.settings, body.mobile, body.email)
    client = client_of(request, body)
    challenge = await service.resend(parts, destination, body.challenge, client)
    return json_response(Sent.of(challenge, SENT), 202)


@routes.add(
    "POST",
    "/verify-otp",
    summary="Activate a registration with its code, and sign in",
    body=VerifyBody,
    answers={200: Activation},
    errors=(OtpInvalid, AccountDisabled, CsrfFailed, RateLimited),
    auth=False,
)
async def verify_otp(request: web.Request) -> web.Response:
    """Spend the code."""
    body, app = await read_body(request, VerifyBody), request.app
    require_issuable(request, body.transport)
    destination = destination_of(app[SETTINGS], body.mobile, body.email)
    entrance = sign_in_of(request, BY_CODE[destination.channel], body)
    signed_in = await service.verify(app[PARTS], destination, body.otp, body.challenge, entrance)
    return token_pair(request, signed_in, transport=body.transport, message=ACTIVATED)


def _claim(body: RegisterBody, settings: AuthSettings) -> Claim:
    mobile = phone_destination(body.mobile, settings, field="mobile") if body.mobile else None
    email = mail_destination(body.email, field="email") if body.email else None
    return Claim(
        mobile=mobile.address if mobile else None,
        email=email.address if email else None,
        username=body.username,
        password=body.password,
        first_name=body.first_name,
        last_name=body.last_name,
    )
