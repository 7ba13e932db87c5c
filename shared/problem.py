"""Domain errors as RFC 9457 `application/problem+json` answers."""

import json

from aiohttp import web

from shared.errors import DomainError

DOCS = web.AppKey("docs", str)
"""Path of the documentation page whose anchors explain the codes."""

DEVELOPMENT = web.AppKey("development", bool)
"""Whether answers contain the reasons that only developers should read."""

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
"""Headers of every answer whose route does not set others."""

REQUEST_ID = web.RequestKey("request_id", str)


def problem_response(
    error: DomainError, docs: str, request_id: str, *, development: bool = False
) -> web.Response:
    """Return the whole answer for one error, headers included.

    `type` is a relative reference to the code's place in the documentation. Source: RFC 9457 §3.
    """
    body = {
        "type": f"{docs}#{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": (development and error.reason) or error.detail or error.title,
        "code": error.code,
        "request_id": request_id,
        **error.members(),
    }
    return web.Response(
        status=error.status,
        body=json.dumps(body).encode(),
        content_type="application/problem+json",
        headers=error.headers(),
    )
