"""Responses with a stored file: conditional, partial, streamed, harmless to open."""

import asyncio
from urllib.parse import quote

import structlog
from aiohttp import web

from media_service.picture.file_deleter import FileDeleter
from media_service.picture.http_range import ByteRange, select_range
from media_service.picture.model import PictureRecord, Representation
from media_service.picture.service import open_file
from media_service.resources import SETTINGS, database_of
from media_service.storage.model import Storage, StoredFile
from shared.errors import VersionMismatch
from shared.if_match import IF_MATCH, matches_etag

STORAGE: web.AppKey[Storage] = web.AppKey("storage")
FILE_DELETER: web.AppKey[FileDeleter] = web.AppKey("file_deleter")
WRITE_SECONDS = 60
_NOT_FOR_NGINX = (IF_MATCH, "If-Unmodified-Since")
"""nginx would compare these again, with a tag and a date of its own."""

log = structlog.get_logger()


def common_file_headers(representation: Representation) -> dict[str, str]:
    """Return the headers of every answer about this file, also of one without it."""
    plain = representation.download_name.encode("ascii", "replace").decode().replace("?", "_")
    encoded = quote(representation.download_name, safe="")
    return {
        "ETag": representation.etag,
        "Last-Modified": representation.last_modified,
        "Cache-Control": "private, no-cache",
        "Content-Security-Policy": "sandbox",
        "Content-Disposition": f"inline; filename=\"{plain}\"; filename*=UTF-8''{encoded}",
        "Accept-Ranges": "bytes",
    }


async def picture_response(
    request: web.Request, picture: PictureRecord, variant: str
) -> web.StreamResponse:
    """Respond with one of the picture's files, or 304 if the client has it.

    Conditions are evaluated in the order of RFC 9110 §13.2.2.

    Raises:
        VersionMismatch: the client asked for another version.
        NotFound: the picture or its file is gone.
        RangeNotSatisfiable: the range begins after the end.
    """
    app, representation = request.app, picture.representation(variant)
    if not _is_expected(request, representation):
        raise VersionMismatch
    if _is_known(request, representation):
        status = web.HTTPNotModified.status_code
        return web.Response(status=status, headers=common_file_headers(representation))
    async with open_file(database_of(request), app[STORAGE], picture, variant) as file:
        serve_here = any(name in request.headers for name in _NOT_FOR_NGINX)
        prefix = "" if serve_here else app[SETTINGS].redirect_prefix
        accel_path = f"{prefix}{picture.object_key(variant)}" if prefix else ""
        return await file_response(request, representation, file, accel_path)


def _is_expected(request: web.Request, representation: Representation) -> bool:
    tags, since = request.headers.getall(IF_MATCH, []), request.if_unmodified_since
    if tags:
        return matches_etag(tags, representation.etag)
    return since is None or representation.made_at <= since


def _is_known(request: web.Request, representation: Representation) -> bool:
    tags, since = request.headers.getall("If-None-Match", []), request.if_modified_since
    if tags:
        return matches_etag(tags, representation.etag)
    return since is not None and representation.made_at <= since


async def file_response(
    request: web.Request, representation: Representation, file: StoredFile, accel_path: str = ""
) -> web.StreamResponse:
    """Stream the file, or the part of it that was asked for.

    With `accel_path`, the nginx in front sends the bytes under that path itself, whole or in part:
    it evaluates `Range` and `If-Range` as we do.

    Raises:
        RangeNotSatisfiable: the range begins after the end.
    """
    range_header = request.headers.get("Range") if request.method == "GET" else None
    byte_range = select_range(
        range_header,
        request.headers.get("If-Range"),
        (representation.etag, representation.last_modified),
        file.size,
    )
    headers = common_file_headers(representation) | {"Content-Type": representation.content_type}
    if accel_path:
        return web.Response(headers=headers | {"X-Accel-Redirect": accel_path})
    response = web.StreamResponse(headers=headers)
    if byte_range.partial:
        response.set_status(web.HTTPPartialContent.status_code)
        response.headers["Content-Range"] = byte_range.content_range
    response.content_length = byte_range.length
    await response.prepare(request)
    if request.method != "HEAD":
        await _stream(request, response, file, byte_range)
    return response


async def _stream(
    request: web.Request, response: web.StreamResponse, file: StoredFile, byte_range: ByteRange
) -> None:
    """Write the range; disconnect a client that accepts nothing for `WRITE_SECONDS`."""
    sent = 0
    try:
        async for chunk in file.read(byte_range.start, byte_range.length):
            async with asyncio.timeout(WRITE_SECONDS):
                await response.write(chunk)
            sent += len(chunk)
    except (TimeoutError, ConnectionError):
        log.info("file.sending_ended_early", sent=sent, length=byte_range.length)
    if sent < byte_range.length and request.transport is not None:
        request.transport.abort()  # the announced length can no longer be kept
