"""The caller of a request, from its `Authorization` header or its cookie."""

from aiohttp import web

from media_service.identity.change_limiter import ChangeLimiter
from media_service.resources import AUTHENTICATOR, CALLER, TOKEN
from shared.credentials import find_credential
from shared.errors import TokenMissing
from shared.middleware import OPERATIONS

CHANGE_LIMITER: web.AppKey[ChangeLimiter] = web.AppKey("change_limiter")


async def authenticate(request: web.Request) -> None:
    """Note who is calling on the request, before anything of its body is read; count a change.

    Raises:
        TokenMissing, TokenInvalid, TokenRevoked, ServiceUnavailable: as `TokenAuthenticator` says.
        CsrfFailed: a cookie asks for a change, and nothing shows that our own page did.
        MalformedRequest: the cookie occurs twice.
        RateLimited: the user asked for too many changes lately.
    """
    credential = find_credential(request)
    if credential is None:
        raise TokenMissing
    claims = request.app[AUTHENTICATOR].authenticate(credential.token)
    credential.require_csrf_token(request, claims)
    if request.app[OPERATIONS][request.match_info.handler].counts_towards_limits:
        request.app[CHANGE_LIMITER].count(claims.sub)
    request[CALLER], request[TOKEN] = claims, credential.token
