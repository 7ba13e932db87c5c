"""Who a request of auth_service comes from."""

from aiohttp import web

from auth_service.resources import CALLER, CLOCK, DATABASE, VERIFIER
from auth_service.session import service
from shared.errors import TokenMissing
from shared.tokens import Claims, bearer


def read_claims(request: web.Request) -> Claims:
    """Return what the request's access token claims, revoked or not.

    Raises:
        TokenMissing, TokenInvalid: there is none, or it is not ours.
    """
    token = bearer(request.headers.get("Authorization"))
    if token is None:
        raise TokenMissing
    return request.app[VERIFIER].verify(token)


async def authenticate(request: web.Request) -> None:
    """Store the caller on the request.

    Raises:
        TokenMissing, TokenInvalid, TokenRevoked: nobody is signed in.
    """
    claims = read_claims(request)
    app = request.app
    request[CALLER] = await service.find_caller(app[DATABASE], claims, clock=app[CLOCK])
