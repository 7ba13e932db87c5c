"""Requests of pages of other origins: which pages may send them and read the answers (CORS).

Source: Fetch standard §3.2.
"""

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from shared.errors import Forbidden
from shared.origins import AllowedOrigins

PREFLIGHT_SECONDS = 600
METHODS = "DELETE, GET, HEAD, PATCH, POST, PUT"
EXPOSED_HEADERS = "ETag, Location, Retry-After, X-Request-ID"
MAX_LOGGED_ORIGIN = 100
ALLOWED_ORIGINS = web.AppKey("allowed_origins", AllowedOrigins)
log = structlog.get_logger()


def cors_headers(request: web.Request) -> dict[str, str]:
    """Return the headers that let the request's page read the answer; none for other origins."""
    origins = request.headers.getall("Origin", [])
    if len(origins) != 1 or origins[0] not in request.app[ALLOWED_ORIGINS]:
        return {}
    return {
        "Access-Control-Allow-Origin": origins[0],
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": EXPOSED_HEADERS,
    }


@web.middleware
async def preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a browser that asks for a page's permission, whatever the path; count nothing.

    Raises:
        Forbidden: the page's origin may not call us.
    """
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return await handler(request)
    if not cors_headers(request):
        origin = request.headers.get("Origin", "")[:MAX_LOGGED_ORIGIN]
        log.info("preflight.refused", origin=origin, setting="CORS_ORIGINS")
        raise Forbidden("CORS_ORIGINS does not list the origin of the page that calls")
    headers = {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
    }
    if names := request.headers.get("Access-Control-Request-Headers"):
        headers["Access-Control-Allow-Headers"] = names
    return web.Response(status=204, headers=headers)
