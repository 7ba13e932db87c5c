"""Authenticating a request of auth_service."""

from aiohttp import web

from auth_service.resources import VERIFIER
from auth_service.session.resources import CALLER, SESSIONS, USAGE_LIMITS
from shared.credentials import find_credential
from shared.errors import Forbidden, TokenMissing
from shared.middleware import OPERATIONS


async def authenticate(request: web.Request) -> None:
    """Store the caller on the request, and count a change.

    Raises:
        TokenMissing, TokenInvalid, TokenRevoked: the request has no valid token.
        CsrfFailed: a cookie requests a change without the CSRF token of our own page.
        MalformedRequest: the cookie occurs twice.
        RateLimited: the session or the user made too many changes lately.
        Forbidden: the caller lacks the operation's role.
    """
    credential, app = find_credential(request), request.app
    if credential is None:
        raise TokenMissing
    claims = app[VERIFIER].verify(credential.token)
    credential.require_csrf_token(request, claims)
    caller = await app[SESSIONS].require_caller(claims)
    operation = app[OPERATIONS][request.match_info.handler]
    if operation.counts_towards_limits:
        await app[USAGE_LIMITS].count_write(caller.user.id, caller.session_id)
    if operation.role is not None and operation.role not in caller.user.roles:
        raise Forbidden
    request[CALLER] = caller
