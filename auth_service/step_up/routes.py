"""`POST /step-up`."""

from aiohttp import web

from auth_service.factor.errors import MfaInvalid
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.schemas import ChallengeResponse
from auth_service.password.errors import WrongPassword
from auth_service.resources import CLOCK
from auth_service.session.cookies import csrf_token, set_access_cookies
from auth_service.session.errors import MfaRequired
from auth_service.session.model import Session
from auth_service.session.resources import CALLER
from auth_service.session.responses import read_request_context, sign_access_token
from auth_service.signing.resources import SIGNER
from auth_service.step_up.schemas import FreshToken, StepUpBody
from auth_service.step_up.service import StepUpService
from shared.credentials import find_credential
from shared.errors import RateLimited
from shared.openapi import Routes
from shared.request import read_optional_body
from shared.responses import json_response

routes = Routes("sessions")
STEP_UP = web.AppKey("step_up", StepUpService)


@routes.add(
    "POST",
    "/step-up",
    summary="Prove your identity again: by code or by password, or by a second factor",
    body=StepUpBody,
    body_required=False,
    answers={200: FreshToken, 202: ChallengeResponse},
    errors=(OtpInvalid, WrongPassword, MfaInvalid, MfaRequired, RateLimited),
)
async def step_up(request: web.Request) -> web.Response:
    """Send a code, or authenticate by a code, the password or a second factor."""
    body = await read_optional_body(request, StepUpBody)
    service, caller = request.app[STEP_UP], request[CALLER]
    context = read_request_context(request, body)
    request.app[SIGNER].require_key()
    if body.password is not None:
        session = await service.by_password(caller, body.password, context)
    elif proof := body.proof_of(caller.user.factor_kinds):
        session = await service.by_factor(caller, proof, context)
    elif body.otp is not None:
        session = await service.by_code(caller, body.otp, body.challenge, context)
    else:
        challenge = await service.request_code(caller, context)
        return json_response(ChallengeResponse.of(challenge, "OTP sent successfully"), 202)
    return _fresh_token(request, session)


def _fresh_token(request: web.Request, session: Session) -> web.Response:
    """Answer with a token in the same way as the request carried its own."""
    credential = find_credential(request)
    csrf = csrf_token(request, session.id) if credential and credential.in_cookie else None
    token = sign_access_token(request, request[CALLER].user, session, csrf)
    fresh = FreshToken(access_token=token.text, expires_in=token.expires_in)
    if csrf is None:
        return json_response(fresh)
    response = json_response(fresh, without=frozenset({"access_token"}))
    remaining = session.expires_at - request.app[CLOCK].now()
    set_access_cookies(response, token.text, csrf, int(remaining.total_seconds()))
    return response
