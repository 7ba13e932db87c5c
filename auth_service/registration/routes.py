"""`POST /register`, `/verify-otp`, `/resend-otp`."""

from aiohttp import web

from auth_service.destination import (
    parse_destination,
    parse_mail_destination,
)
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.schemas import ChallengeResponse
from auth_service.rate_limit.errors import ProofRequired
from auth_service.registration.activation import ActivationService
from auth_service.registration.errors import AlreadyRegistered
from auth_service.registration.model import RegistrationRequest
from auth_service.registration.schemas import RegisterBody, Registered, ResendBody, VerifyBody
from auth_service.registration.service import RegistrationService
from auth_service.resources import SETTINGS
from auth_service.session.cookies import require_can_issue_tokens
from auth_service.session.errors import AccountDisabled, MfaEnrolmentRequired, MfaRequired
from auth_service.session.model import BY_CODE
from auth_service.session.responses import read_client, read_sign_in_context, token_pair_response
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
REGISTRATION = web.AppKey("registration", RegistrationService)
ACTIVATION = web.AppKey("activation", ActivationService)


@routes.add(
    "POST",
    "/register",
    summary="Register with a mobile or an email, to be activated by the code sent there",
    body=RegisterBody,
    answers={201: Registered, 202: ChallengeResponse},
    errors=(AlreadyRegistered, ProofRequired, RateLimited),
    auth=False,
)
async def register(request: web.Request) -> web.Response:
    """Register; when accounts are concealed, answer only that a code was sent."""
    body, app = await read_body(request, RegisterBody), request.app
    wanted, client = _registration_request(body, app[SETTINGS]), read_client(request, body)
    challenge, user_id = await app[REGISTRATION].register(wanted, client)
    if app[SETTINGS].conceals:
        return json_response(ChallengeResponse.of(challenge, SENT), 202)
    sent = ChallengeResponse.of(challenge, REGISTERED)
    return json_response(Registered(user_id=user_id, **sent.model_dump()), 201)


@routes.add(
    "POST",
    "/resend-otp",
    summary="Ask for another activation code",
    body=ResendBody,
    answers={202: ChallengeResponse},
    errors=(UserNotRegistered, ProofRequired, RateLimited),
    auth=False,
)
async def resend_otp(request: web.Request) -> web.Response:
    """Send another code for an open registration."""
    body, app = await read_body(request, ResendBody), request.app
    destination = parse_destination(app[SETTINGS], body.mobile, body.email, body.number_field)
    client = read_client(request, body)
    challenge = await app[REGISTRATION].resend_code(destination, body.challenge, client)
    return json_response(ChallengeResponse.of(challenge, SENT), 202)


@routes.add(
    "POST",
    "/verify-otp",
    summary="Activate a registration with its code, and sign in",
    body=VerifyBody,
    answers={200: Activation},
    errors=(
        OtpInvalid,
        AccountDisabled,
        MfaRequired,
        MfaEnrolmentRequired,
        CsrfFailed,
        RateLimited,
    ),
    auth=False,
)
async def verify_otp(request: web.Request) -> web.Response:
    """Verify the code."""
    body, app = await read_body(request, VerifyBody), request.app
    require_can_issue_tokens(request, body.transport)
    destination = parse_destination(app[SETTINGS], body.mobile, body.email, body.number_field)
    context = read_sign_in_context(request, BY_CODE[destination.channel], body)
    signed_in = await app[ACTIVATION].verify_code(destination, body.otp, body.challenge, context)
    return token_pair_response(
        request,
        signed_in,
        transport=body.transport,
        extend=lambda pair: Activation(message=ACTIVATED, **dict(pair)),
    )


def _registration_request(body: RegisterBody, settings: AuthSettings) -> RegistrationRequest:
    mobile = (
        parse_destination(settings, body.mobile, None, body.number_field) if body.mobile else None
    )
    email = parse_mail_destination(body.email, field="email") if body.email else None
    return RegistrationRequest(
        mobile=mobile.address if mobile else None,
        email=email.address if email else None,
        username=body.username,
        password=body.password,
        first_name=body.first_name,
        last_name=body.last_name,
    )
