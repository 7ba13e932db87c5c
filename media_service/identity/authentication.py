"""The caller of a request, from its `Authorization` header."""

from aiohttp import web

from media_service.resources import ADMISSION, CALLER, TOKEN
from shared.errors import TokenMissing
from shared.tokens import bearer


async def authenticate(request: web.Request) -> None:
    """Note who is calling on the request, before anything of its body is read.

    Raises:
        TokenMissing, TokenInvalid, TokenRevoked, ServiceUnavailable: as `Admission` says.
    """
    token = bearer(request.headers.get("Authorization"))
    if token is None:
        raise TokenMissing
    request[CALLER] = request.app[ADMISSION].admit(token)
    request[TOKEN] = token
