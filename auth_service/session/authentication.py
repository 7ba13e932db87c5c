"""Who a request of auth_service comes from."""

from aiohttp import web

from auth_service.rate_limit.usage import count_if_available, write_scopes
from auth_service.resources import CALLER, CLOCK, DATABASE, PARTS, SETTINGS, VERIFIER
from auth_service.session import service
from shared.credentials import find_credential
from shared.errors import Forbidden, TokenMissing
from shared.middleware import OPERATIONS


async def authenticate(request: web.Request) -> None:
    """Store the caller on the request, and count what is a change.

    Raises:
        TokenMissing, TokenInvalid, TokenRevoked: nobody is signed in.
        CsrfFailed: a cookie asks for a change, and nothing shows that our own page did.
        MalformedRequest: the cookie occurs twice.
        RateLimited: the session or the user asked for too many changes lately.
        Forbidden: the operation is for a role that the caller has not.
    """
    credential, app = find_credential(request), request.app
    if credential is None:
        raise TokenMissing
    claims = app[VERIFIER].verify(credential.token)
    credential.require_intent(request, claims)
    caller = await service.find_caller(app[DATABASE], claims, clock=app[CLOCK])
    operation = app[OPERATIONS][request.match_info.handler]
    if operation.is_counted:
        scopes = write_scopes(app[SETTINGS], caller.user.id, caller.session_id)
        await count_if_available(app[PARTS].rate_limiter, scopes)
    if operation.role is not None and operation.role not in caller.user.roles:
        raise Forbidden
    request[CALLER] = caller
