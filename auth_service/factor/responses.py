"""Requests and responses of the routes that add a factor, by a session or a ticket."""

from typing import TypeVar

from aiohttp import web

from auth_service.factor.model import ConfirmedFactor
from auth_service.factor.schemas import (
    RECOVERY_CODES,
    ConfirmedFactorResponse,
    EnrolledTokenPair,
    EnrolmentBody,
    FactorResponse,
)
from auth_service.session.authentication import authenticate
from auth_service.session.model import Caller, SignedInUser
from auth_service.session.resources import CALLER
from auth_service.session.responses import token_pair_response
from auth_service.session.schemas import TokenPair, Transport
from shared.request import read_optional_body
from shared.responses import json_response

B = TypeVar("B", bound=EnrolmentBody)


async def read_enrolment(request: web.Request, model: type[B]) -> tuple[B, Caller | None]:
    """Return the body and the caller; None in place of the caller for a body with a ticket.

    A ticket outranks a session's cookies in the same request. Else the factor would go to the
    account of the cookies, and the account of the ticket would have none.
    """
    if not request.body_exists:
        await authenticate(request)  # without a body there is no ticket
    body = await read_optional_body(request, model)
    if body.mfa_ticket is not None:
        return body, None
    if CALLER not in request:
        await authenticate(request)
    return body, request[CALLER]


def confirmed_response(confirmed: ConfirmedFactor, status: int) -> web.Response:
    """Return the factor, and the recovery codes that came with it."""
    factor, codes = FactorResponse.model_validate(confirmed.factor), confirmed.recovery_codes
    answer = ConfirmedFactorResponse(**dict(factor), recovery_codes=codes or None)
    return json_response(answer, status, without=frozenset() if codes else RECOVERY_CODES)


def enrolled_response(
    request: web.Request,
    enrolled: tuple[SignedInUser, ConfirmedFactor],
    status: int,
    transport: Transport,
) -> web.Response:
    """Return the tokens of a sign-in whose user has added a factor, and the factor beside them."""
    signed_in, confirmed = enrolled
    factor = FactorResponse.model_validate(confirmed.factor)

    def extend(pair: TokenPair) -> TokenPair:
        codes = confirmed.recovery_codes
        return EnrolledTokenPair(factor=factor, recovery_codes=codes, **dict(pair))

    return token_pair_response(request, signed_in, status, transport=transport, extend=extend)
