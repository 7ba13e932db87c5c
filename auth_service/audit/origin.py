"""The origin of a request, for audit events."""

from aiohttp import web

from auth_service.audit.model import Origin
from shared.client_address import client_address
from shared.problem import REQUEST_ID

MAX_USER_AGENT = 400


def read_user_agent(request: web.Request) -> str | None:
    """Return the `User-Agent`, storable and of bounded length."""
    agent = request.headers.get("User-Agent", "")[:MAX_USER_AGENT]
    return agent.encode("utf-8", "replace").decode() or None


def read_origin(request: web.Request) -> Origin:
    """Return address, user agent and id of the request."""
    return Origin(client_address(request), read_user_agent(request), request[REQUEST_ID])
