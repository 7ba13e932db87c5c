"""`/me/factors`, `/me/recovery-codes`, `/me/remembered-devices` and `/mfa/verify`."""

from aiohttp import web

from auth_service.factor.enrolment import EnrolmentService
from auth_service.factor.errors import MfaInvalid, MfaTicketInvalid
from auth_service.factor.responses import confirmed_response, enrolled_response, read_enrolment
from auth_service.factor.schemas import (
    DEFAULT_TOTP_NAME,
    ConfirmationResponse,
    ConfirmBody,
    FactorResponse,
    FactorsResponse,
    RecoveryCodesResponse,
    RememberedDeviceResponse,
    RenameBody,
    TotpBody,
    TotpResponse,
    VerifyMfaBody,
)
from auth_service.factor.service import FactorService
from auth_service.factor.sign_in import SecondFactorSignIn
from auth_service.otp.errors import OtpInvalid
from auth_service.session.cookies import require_can_issue_tokens
from auth_service.session.errors import StepUpRequired
from auth_service.session.resources import CALLER
from auth_service.session.responses import (
    read_request_context,
    read_sign_in_context,
    token_pair_response,
)
from auth_service.session.schemas import TokenPair
from shared.errors import Conflict, CsrfFailed, RateLimited, TokenMissing
from shared.openapi import Routes
from shared.request import path_id, read_body
from shared.responses import json_response

routes = Routes("second factors")
FACTORS = web.AppKey("factors", FactorService)
ENROLMENT = web.AppKey("enrolment", EnrolmentService)
SECOND_FACTOR = web.AppKey("second_factor_sign_in", SecondFactorSignIn)


@routes.add(
    "POST",
    "/mfa/verify",
    summary="Complete a sign-in that was answered with `mfa_required`, by a second factor",
    body=VerifyMfaBody,
    answers={200: TokenPair},
    errors=(MfaInvalid, MfaTicketInvalid, CsrfFailed, RateLimited),
    auth=False,
)
async def verify_mfa(request: web.Request) -> web.Response:
    """Exchange the ticket and a proof for tokens."""
    body = await read_body(request, VerifyMfaBody)
    require_can_issue_tokens(request, body.transport)
    context = read_sign_in_context(request, (), body)
    signed_in = await request.app[SECOND_FACTOR].verify(
        body.mfa_ticket, body.proof, context, remember=body.remember_device
    )
    return token_pair_response(request, signed_in, transport=body.transport)


@routes.add(
    "GET",
    "/me/factors",
    summary="The caller's second factors, recovery codes left, and remembered devices",
    answers={200: FactorsResponse},
)
async def list_factors(request: web.Request) -> web.Response:
    """Answer with the caller's factors."""
    factors, user_id = request.app[FACTORS], request[CALLER].user.id
    found, devices = (
        await factors.list_factors(user_id),
        await factors.list_remembered_devices(user_id),
    )
    answer = FactorsResponse(
        items=[FactorResponse.model_validate(one) for one in found],
        recovery_codes_left=await factors.count_recovery_codes(user_id),
        remembered_devices=[RememberedDeviceResponse.model_validate(one) for one in devices],
    )
    return json_response(answer)


@routes.add(
    "POST",
    "/me/factors/totp",
    summary="Begin to add an authenticator app; it counts once a code confirms it",
    body=TotpBody,
    body_required=False,
    answers={201: TotpResponse},
    errors=(TokenMissing, StepUpRequired, MfaTicketInvalid, OtpInvalid, Conflict, RateLimited),
    auth=False,
    takes_token=True,
    counts_as_write=True,
)
async def add_totp(request: web.Request) -> web.Response:
    """Answer with the secret and its QR code."""
    body, caller = await read_enrolment(request, TotpBody)
    name, context = body.name or DEFAULT_TOTP_NAME, read_request_context(request, body)
    if caller is not None:
        pending = await request.app[FACTORS].add_totp(caller, name)
    else:
        ticket = body.mfa_ticket or ""
        pending = await request.app[ENROLMENT].add_totp(ticket, body.otp, name, context)
    return json_response(TotpResponse.model_validate(pending), 201)


@routes.add(
    "POST",
    "/me/factors/totp/{id}/confirm",
    summary="Confirm a new authenticator by its code; from then on sign-ins need a factor",
    body=ConfirmBody,
    answers={200: ConfirmationResponse},
    errors=(TokenMissing, MfaInvalid, StepUpRequired, MfaTicketInvalid),
    auth=False,
    takes_token=True,
    counts_as_write=True,
)
async def confirm_totp(request: web.Request) -> web.Response:
    """Confirm the authenticator; with a ticket, sign its user in."""
    factor_id, (body, caller) = path_id(request), await read_enrolment(request, ConfirmBody)
    if caller is not None:
        confirmed = await request.app[FACTORS].confirm_totp(
            caller, factor_id, body.otp, read_request_context(request, body)
        )
        return confirmed_response(confirmed, 200)
    require_can_issue_tokens(request, body.transport)
    context = read_sign_in_context(request, (), body)
    enrolled = await request.app[ENROLMENT].confirm_totp(
        body.mfa_ticket or "", factor_id, body.otp, context
    )
    return enrolled_response(request, enrolled, 200, body.transport)


@routes.add(
    "POST",
    "/me/recovery-codes",
    summary="Make ten new recovery codes; the old ones are invalid",
    answers={200: RecoveryCodesResponse},
    errors=(StepUpRequired, Conflict),
)
async def replace_recovery_codes(request: web.Request) -> web.Response:
    """Answer with the codes, this once."""
    codes = await request.app[FACTORS].replace_recovery_codes(
        request[CALLER], read_request_context(request)
    )
    return json_response(RecoveryCodesResponse(recovery_codes=codes))


@routes.add(
    "PATCH",
    "/me/factors/{id}",
    summary="Give a second factor another name",
    body=RenameBody,
    answers={200: FactorResponse},
)
async def rename_factor(request: web.Request) -> web.Response:
    """Rename the factor."""
    factor_id, body = path_id(request), await read_body(request, RenameBody)
    factor = await request.app[FACTORS].rename(
        request[CALLER], factor_id, body.name, read_request_context(request)
    )
    return json_response(FactorResponse.model_validate(factor))


@routes.add(
    "DELETE",
    "/me/factors/{id}",
    summary="Remove a second factor",
    answers={204: None},
    errors=(StepUpRequired,),
)
async def remove_factor(request: web.Request) -> web.Response:
    """Remove the factor."""
    await request.app[FACTORS].remove(
        request[CALLER], path_id(request), read_request_context(request)
    )
    return web.Response(status=204)


@routes.add(
    "DELETE",
    "/me/remembered-devices",
    summary="Ask for the second factor again on every device",
    answers={204: None},
)
async def forget_devices(request: web.Request) -> web.Response:
    """Forget every device."""
    context = read_request_context(request)
    await request.app[FACTORS].forget_device(request[CALLER], None, context)
    return web.Response(status=204)


@routes.add(
    "DELETE",
    "/me/remembered-devices/{id}",
    summary="Ask for the second factor again on one device",
    answers={204: None},
)
async def forget_device(request: web.Request) -> web.Response:
    """Forget the device."""
    context = read_request_context(request)
    await request.app[FACTORS].forget_device(request[CALLER], path_id(request), context)
    return web.Response(status=204)
