"""Who a request of auth_service comes from."""

from aiohttp import web

from auth_service.resources import CALLER, CLOCK, DATABASE, VERIFIER
from auth_service.session import service
from shared.credentials import find_credential
from shared.errors import Forbidden, TokenMissing
from shared.middleware import OPERATIONS


async def authenticate(request: web.Request) -> None:
    """Store the caller on the request.

    Raises:
        TokenMissing, TokenInvalid, TokenRevoked: nobody is signed in.
        CsrfFailed: a cookie asks for a change, and nothing shows that our own page did.
        MalformedRequest: the cookie occurs twice.
        Forbidden: the operation is for a role that the caller has not.
    """
    credential, app = find_credential(request), request.app
    if credential is None:
        raise TokenMissing
    claims = app[VERIFIER].verify(credential.token)
    credential.require_intent(request, claims)
    caller = await service.find_caller(app[DATABASE], claims, clock=app[CLOCK])
    role = app[OPERATIONS][request.match_info.handler].role
    if role is not None and role not in caller.user.roles:
        raise Forbidden
    request[CALLER] = caller
