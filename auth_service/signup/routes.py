"""`POST /signup`: one address for both steps."""

from aiohttp import web

from auth_service.destination import Destination, parse_destination
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.schemas import ChallengeResponse
from auth_service.rate_limit.errors import ProofRequired
from auth_service.resources import SETTINGS
from auth_service.session.cookies import require_can_issue_tokens
from auth_service.session.errors import AccountDisabled, MfaEnrolmentRequired, MfaRequired
from auth_service.session.model import BY_CODE
from auth_service.session.responses import read_client, read_sign_in_context, token_pair_response
from auth_service.session.schemas import TokenPair
from auth_service.signup.schemas import SignupBody
from auth_service.signup.service import PhoneSignInService
from shared.errors import CsrfFailed, RateLimited
from shared.openapi import Routes
from shared.request import read_body
from shared.responses import json_response

routes = Routes("sign-up")
SIGNUP = web.AppKey("signup", PhoneSignInService)


@routes.add(
    "POST",
    "/signup",
    summary="Ask for a code with `name`; send it back as `otp` to sign up or in",
    body=SignupBody,
    answers={200: TokenPair, 201: TokenPair, 202: ChallengeResponse},
    errors=(
        OtpInvalid,
        AccountDisabled,
        MfaRequired,
        MfaEnrolmentRequired,
        CsrfFailed,
        ProofRequired,
        RateLimited,
    ),
    auth=False,
)
async def signup(request: web.Request) -> web.Response:
    """Take the first step or the second one, by whether there is a code."""
    body = await read_body(request, SignupBody)
    settings = request.app[SETTINGS]
    number = parse_destination(settings, body.mobile, None, body.number_field)
    return await (
        _verify_code(request, body, number) if body.otp else _request_code(request, body, number)
    )


async def _request_code(
    request: web.Request, body: SignupBody, number: Destination
) -> web.Response:
    client = read_client(request, body)
    challenge = await request.app[SIGNUP].request_code(number, body.name or "", client)
    return json_response(ChallengeResponse.of(challenge, "OTP sent successfully"), 202)


async def _verify_code(request: web.Request, body: SignupBody, number: Destination) -> web.Response:
    require_can_issue_tokens(request, body.transport)
    context = read_sign_in_context(request, BY_CODE["sms"], body)
    result = await request.app[SIGNUP].verify_code(number, body.otp or "", body.challenge, context)
    status = 201 if result.is_new else 200
    return token_pair_response(request, result.signed_in, status, transport=body.transport)
