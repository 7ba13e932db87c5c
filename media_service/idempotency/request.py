"""The HTTP side of idempotency keys: the header, and the response that a replay repeats."""

import re

from aiohttp import web

from media_service.idempotency.model import StoredResponse
from shared.errors import MalformedRequest
from shared.if_match import version_tag

IDEMPOTENCY_KEY = "Idempotency-Key"
_KEY = re.compile(r"[ -~]{1,255}")


def read_idempotency_key(request: web.Request) -> str | None:
    """Return the request's Idempotency-Key, None without one.

    Raises:
        MalformedRequest: there are several, or it is no short printable text.
    """
    given = request.headers.getall(IDEMPOTENCY_KEY, [])
    if not given:
        return None
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        raise MalformedRequest("an Idempotency-Key is 1 to 255 printable ASCII characters")
    return given[0]


def created_response(stored: StoredResponse) -> web.Response:
    """Return the response of a first request, or of its replay."""
    return web.Response(
        status=web.HTTPCreated.status_code,
        text=stored.body,
        content_type="application/json",
        headers={"Location": stored.location, "ETag": version_tag(1)},
    )
