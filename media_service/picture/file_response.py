"""A stored file as an answer: conditional, partial, streamed, harmless to open."""

import asyncio
from urllib.parse import quote

import structlog
from aiohttp import web

from media_service.picture.http_range import Span, choose_span, is_known
from media_service.picture.model import DescribedPicture, Served
from media_service.picture.service import open_file
from media_service.resources import SETTINGS, STORAGE, database_of
from media_service.storage.model import StoredFile

WRITE_SECONDS = 60
_NOT_FOR_NGINX = ("If-Match", "If-Unmodified-Since")
"""nginx would compare these with a tag and a date of its own, and answer 412 to a right one."""

log = structlog.get_logger()


def file_headers(served: Served) -> dict[str, str]:
    """Return the headers of every answer about this file, also of one without it."""
    plain = served.file_name.encode("ascii", "replace").decode().replace("?", "_")
    encoded = quote(served.file_name, safe="")
    return {
        "ETag": served.etag,
        "Cache-Control": "private, no-cache",
        "Content-Security-Policy": "sandbox",
        "Content-Disposition": f"inline; filename=\"{plain}\"; filename*=UTF-8''{encoded}",
        "Accept-Ranges": "bytes",
    }


async def answer_file(
    request: web.Request, picture: DescribedPicture, variant: str
) -> web.StreamResponse:
    """Answer with one of the picture's files, unless the client knows it.

    Raises:
        NotFound: the picture is gone, or its file.
        RangeNotSatisfiable: the part that is asked for begins behind the end.
    """
    app, served = request.app, picture.served(variant)
    if is_known(request.headers.get("If-None-Match"), served.etag):
        status = web.HTTPNotModified.status_code
        return web.Response(status=status, headers=file_headers(served))
    async with open_file(database_of(request), app[STORAGE], picture, variant) as file:
        ours = any(name in request.headers for name in _NOT_FOR_NGINX)
        prefix = "" if ours else app[SETTINGS].redirect_prefix
        redirect = f"{prefix}{picture.key(variant)}" if prefix else ""
        return await send_file(request, served, file, redirect)


async def send_file(
    request: web.Request, served: Served, file: StoredFile, redirect: str = ""
) -> web.StreamResponse:
    """Stream the file, or the part of it that was asked for.

    With `redirect`, the nginx in front finds the bytes under that path and sends them, or the part
    of them, itself: it judges `Range` and `If-Range` as we do.

    Raises:
        RangeNotSatisfiable: the part begins behind the end.
    """
    asked = request.headers.get("Range") if request.method == "GET" else None
    span = choose_span(asked, request.headers.get("If-Range"), served.etag, file.size)
    if redirect:
        granted = {"X-Accel-Redirect": redirect, "Content-Type": served.content_type}
        return web.Response(headers={**file_headers(served), **granted})
    response = web.StreamResponse(
        status=web.HTTPPartialContent.status_code if span.partial else web.HTTPOk.status_code,
        headers={**file_headers(served), "Content-Type": served.content_type},
    )
    if span.partial:
        response.headers["Content-Range"] = span.content_range
    response.content_length = span.length
    await response.prepare(request)
    if request.method != "HEAD":
        await _stream(request, response, file, span)
    return response


async def _stream(
    request: web.Request, response: web.StreamResponse, file: StoredFile, span: Span
) -> None:
    """Write the span; a client that takes nothing for `WRITE_SECONDS` is cut off."""
    sent = 0
    try:
        async for chunk in file.read(span.start, span.length):
            async with asyncio.timeout(WRITE_SECONDS):
                await response.write(chunk)
            sent += len(chunk)
    except (TimeoutError, ConnectionError):
        log.info("file.sending_ended_early", sent=sent, length=span.length)
    if sent < span.length and request.transport is not None:
        request.transport.abort()  # the length that was announced can no longer be kept
