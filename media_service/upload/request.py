"""Reads the headers of an upload; what they forbid is refused before the body is read."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel

from media_service.idempotency.request import read_idempotency_key
from media_service.resources import CALLER, CLOCK, TOKEN
from media_service.storage.temp_file import TempFile
from media_service.upload.body import UploadBody, UploadLimits
from media_service.upload.form import FormSchema, read_form
from media_service.upload.headers import read_boundary
from media_service.upload.service import Draft, PendingUpload, UploadService
from shared.errors import BodyTooLarge
from shared.http_connection import ask_for_body
from shared.request import VALIDATION_CONTEXT, require_no_encoding

UPLOADS: web.AppKey[UploadService] = web.AppKey("uploads")
UPLOAD_LIMITS: web.AppKey[UploadLimits] = web.AppKey("upload_limits")
READING_SLOTS: web.AppKey[asyncio.Semaphore] = web.AppKey("reading_slots")
"""Each is held while a chunk is in memory, so few chunks are."""
F = TypeVar("F", bound=BaseModel)


def read_upload(
    request: web.Request, form: type[F], file_field: str, draft: Callable[[F], Draft]
) -> PendingUpload[Draft]:
    """Return the upload; reading it validates the fields as a `form` and makes a `draft` of it.

    Raises:
        UnsupportedMediaType, MalformedRequest, BodyTooLarge: the headers are refused.
    """
    require_no_encoding(request)
    app, boundary = request.app, read_boundary(request.headers.get("Content-Type", ""))
    limits = app[UPLOAD_LIMITS]
    length = request.content_length or 0
    if length > limits.max_body_bytes:
        raise BodyTooLarge.of("a file", limits.max_file_bytes, length)
    body = UploadBody(request.content, limits, app[READING_SLOTS], app[CLOCK])

    async def read(temp_file: TempFile) -> Draft:
        await ask_for_body(request)
        schema = FormSchema(form, file_field, app.get(VALIDATION_CONTEXT))
        return draft(await read_form(body, boundary, temp_file, limits, schema))

    return PendingUpload(
        request[CALLER].sub,
        request[TOKEN],
        read_idempotency_key(request),
        read,
        request.content_length,
    )
