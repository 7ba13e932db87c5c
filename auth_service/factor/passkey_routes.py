"""Routes that add a passkey, make options for one, and sign in by one alone."""

from aiohttp import web

from auth_service.factor.errors import MfaTicketInvalid
from auth_service.factor.passkey_sign_in import PasskeySignIn
from auth_service.factor.responses import confirmed_response, enrolled_response, read_enrolment
from auth_service.factor.routes import ENROLMENT, FACTORS
from auth_service.factor.schemas import (
    DEFAULT_PASSKEY_NAME,
    ConfirmationResponse,
    MfaPasskeyOptionsBody,
    PasskeyBody,
    PasskeyLoginBody,
    PasskeyLoginOptionsBody,
    PasskeyOptionsBody,
    PasskeyOptionsResponse,
)
from auth_service.otp.errors import OtpInvalid
from auth_service.passkey.errors import CredentialInvalid, PasskeyRefused, PasskeysUnavailable
from auth_service.passkey.model import PasskeyOptions
from auth_service.session.cookies import require_can_issue_tokens
from auth_service.session.errors import StepUpRequired
from auth_service.session.responses import (
    read_client,
    read_request_context,
    read_sign_in_context,
    token_pair_response,
)
from auth_service.session.schemas import TokenPair
from shared.errors import Conflict, CsrfFailed, RateLimited, TokenMissing
from shared.openapi import Routes
from shared.request import read_body, read_optional_body
from shared.responses import json_response

routes = Routes("passkeys")
PASSKEY_SIGN_IN = web.AppKey("passkey_sign_in", PasskeySignIn)


@routes.add(
    "POST",
    "/me/factors/passkeys/options",
    summary="Make the options with which a browser or an app creates a passkey",
    body=PasskeyOptionsBody,
    body_required=False,
    answers={200: PasskeyOptionsResponse},
    errors=(
        TokenMissing,
        StepUpRequired,
        MfaTicketInvalid,
        OtpInvalid,
        Conflict,
        PasskeysUnavailable,
        RateLimited,
    ),
    auth=False,
    takes_token=True,
    counts_as_write=True,
)
async def begin_passkey(request: web.Request) -> web.Response:
    """Answer with options for `navigator.credentials.create()`."""
    body, caller = await read_enrolment(request, PasskeyOptionsBody)
    context = read_request_context(request, body)
    if caller is not None:
        options = await request.app[FACTORS].passkey_options(caller)
    else:
        ticket = body.mfa_ticket or ""
        options = await request.app[ENROLMENT].passkey_options(ticket, body.otp, context)
    return _options_response(options)


@routes.add(
    "POST",
    "/me/factors/passkeys",
    summary="Add a passkey; from then on sign-ins need a second factor",
    body=PasskeyBody,
    answers={201: ConfirmationResponse},
    errors=(TokenMissing, CredentialInvalid, StepUpRequired, MfaTicketInvalid, RateLimited),
    auth=False,
    takes_token=True,
    counts_as_write=True,
)
async def add_passkey(request: web.Request) -> web.Response:
    """Store the passkey; with a ticket, sign its user in."""
    body, caller = await read_enrolment(request, PasskeyBody)
    name, response = body.name or DEFAULT_PASSKEY_NAME, body.response
    if caller is not None:
        context = read_request_context(request, body)
        confirmed = await request.app[FACTORS].add_passkey(caller, response, name, context)
        return confirmed_response(confirmed, 201)
    require_can_issue_tokens(request, body.transport)
    context = read_sign_in_context(request, (), body)
    enrolled = await request.app[ENROLMENT].add_passkey(
        body.mfa_ticket or "", response, name, context
    )
    return enrolled_response(request, enrolled, 201, body.transport)


@routes.add(
    "POST",
    "/mfa/passkey-options",
    summary="Make passkey options for a sign-in that was answered with `mfa_required`",
    body=MfaPasskeyOptionsBody,
    answers={200: PasskeyOptionsResponse},
    errors=(MfaTicketInvalid, CredentialInvalid, PasskeysUnavailable, RateLimited),
    auth=False,
)
async def ask_for_passkey(request: web.Request) -> web.Response:
    """Answer with options that name the user's passkeys."""
    body = await read_body(request, MfaPasskeyOptionsBody)
    client = read_client(request, body)
    return _options_response(
        await request.app[PASSKEY_SIGN_IN].second_factor_options(body.mfa_ticket, client)
    )


@routes.add(
    "POST",
    "/passkeys/options",
    summary="Make passkey options for a sign-in without a name",
    body=PasskeyLoginOptionsBody,
    body_required=False,
    answers={200: PasskeyOptionsResponse},
    errors=(PasskeysUnavailable, RateLimited),
    auth=False,
)
async def ask_for_any_passkey(request: web.Request) -> web.Response:
    """Answer with options that name no passkey."""
    await read_optional_body(request, PasskeyLoginOptionsBody)
    return _options_response(await request.app[PASSKEY_SIGN_IN].options(read_client(request)))


@routes.add(
    "POST",
    "/passkeys/login",
    summary="Sign in by a passkey alone",
    body=PasskeyLoginBody,
    answers={200: TokenPair},
    errors=(PasskeyRefused, CsrfFailed),
    auth=False,
)
async def sign_in_by_passkey(request: web.Request) -> web.Response:
    """Exchange the authenticator's response for tokens."""
    body = await read_body(request, PasskeyLoginBody)
    require_can_issue_tokens(request, body.transport)
    context = read_sign_in_context(request, (), body)
    signed_in = await request.app[PASSKEY_SIGN_IN].sign_in(body.response, context)
    return token_pair_response(request, signed_in, transport=body.transport)


def _options_response(options: PasskeyOptions) -> web.Response:
    return json_response(PasskeyOptionsResponse.model_validate(options))
