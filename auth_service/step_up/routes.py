"""`POST /step-up`."""

from aiohttp import web

from auth_service.otp.errors import OtpInvalid
from auth_service.otp.schemas import ChallengeResponse
from auth_service.password.errors import WrongPassword
from auth_service.resources import CALLER, PARTS, SIGNER
from auth_service.session.cookies import csrf_token, set_access_cookies
from auth_service.session.model import Session
from auth_service.session.responses import read_context, sign_access_token
from auth_service.step_up import service
from auth_service.step_up.schemas import FreshToken, StepUpBody
from shared.credentials import find_credential
from shared.errors import RateLimited
from shared.openapi import Routes
from shared.request import read_optional_body
from shared.responses import json_response

routes = Routes("sessions")


@routes.add(
    "POST",
    "/step-up",
    summary="Prove once more who you are, by code or by password",
    body=StepUpBody,
    body_required=False,
    answers={200: FreshToken, 202: ChallengeResponse},
    errors=(OtpInvalid, WrongPassword, RateLimited),
)
async def step_up(request: web.Request) -> web.Response:
    """Send a code, or take the proof."""
    body = await read_optional_body(request, StepUpBody)
    parts, caller, context = request.app[PARTS], request[CALLER], read_context(request, body=body)
    request.app[SIGNER].require_key()
    if body.password is not None:
        session = await service.by_password(parts, caller, body.password, context)
    elif body.otp is not None:
        session = await service.by_code(parts, caller, body.otp, body.challenge, context)
    else:
        challenge = await service.ask(parts, caller, context)
        return json_response(ChallengeResponse.of(challenge, "OTP sent successfully"), 202)
    return _fresh_token(request, session)


def _fresh_token(request: web.Request, session: Session) -> web.Response:
    """Answer with a token in the way in which the request showed its own."""
    credential, life = find_credential(request), request.app[SIGNER].life
    if credential is None or not credential.in_cookie:
        token = sign_access_token(request, request[CALLER].user, session)
        return json_response(FreshToken(access_token=token, expires_in=life))
    csrf = csrf_token(request, session.id)
    token = sign_access_token(request, request[CALLER].user, session, csrf)
    fresh = FreshToken(access_token=token, expires_in=life)
    response = json_response(fresh, without=frozenset({"access_token"}))
    left = session.expires_at - request.app[PARTS].clock.now()
    set_access_cookies(response, token, csrf, int(left.total_seconds()))
    return response
