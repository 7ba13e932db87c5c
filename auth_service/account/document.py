"""An export as one JSON document, written piece by piece."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import datetime
from typing import Any, NamedTuple

from aiohttp import web
from pydantic import TypeAdapter

from auth_service.account.export import ExportReader
from auth_service.account.model import ExportedSession, ExportedToken, ReadBatch, RowKey
from auth_service.account.repository import (
    read_events,
    read_factors,
    read_remembered_devices,
    read_sessions,
    read_tokens,
)
from auth_service.account.schemas import ExportHead
from auth_service.audit.model import StoredEvent
from auth_service.device.model import RememberedDevice
from auth_service.factor.model import Factor
from auth_service.user.schemas import UserResponse
from shared.errors import ServiceUnavailable

WRITE_SECONDS = 30


class _List(NamedTuple):
    """A list of the document: its name, its source of rows, and their type."""

    name: str
    read_batch: ReadBatch[object]
    rows: TypeAdapter[Any]


LISTS = (
    _List("sessions", read_sessions, TypeAdapter(list[ExportedSession])),
    _List("tokens", read_tokens, TypeAdapter(list[ExportedToken])),
    _List("factors", read_factors, TypeAdapter(list[Factor])),
    _List("remembered_devices", read_remembered_devices, TypeAdapter(list[RememberedDevice])),
    _List("events", read_events, TypeAdapter(list[StoredEvent])),
)


async def render_document(export: ExportReader, now: datetime) -> AsyncGenerator[bytes]:
    """Yield the document; one batch of rows is in memory at a time."""
    head = ExportHead(
        exported_at=now,
        user=UserResponse.model_validate(export.account.user),
        has_password=export.account.password is not None,
    )
    yield head.model_dump_json().encode().removesuffix(b"}")
    for section in LISTS:
        yield f',"{section.name}":['.encode()
        async for rows in _render_rows(export, section):
            yield rows
        yield b"]"
    yield b"}"


async def _render_rows(export: ExportReader, section: _List) -> AsyncIterator[bytes]:
    after: RowKey | None = None
    separator = b""
    while True:
        text, after = await _render_batch(export, section, after)
        if text:
            yield separator + text
            separator = b","
        if after is None:
            return


async def _render_batch(
    export: ExportReader, section: _List, after: RowKey | None
) -> tuple[bytes, RowKey | None]:
    batch = await export.read(section.read_batch, after)
    return section.rows.dump_json(batch.rows)[1:-1], batch.last  # without the list's brackets


async def send_document(request: web.Request, pieces: AsyncGenerator[bytes]) -> web.StreamResponse:
    """Answer with the pieces as they come; abort the connection when one cannot be sent.

    Raises:
        ServiceUnavailable: the client read nothing for `WRITE_SECONDS`.
    """
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                async with asyncio.timeout(WRITE_SECONDS):
                    await response.write(piece)
        async with asyncio.timeout(WRITE_SECONDS):
            await response.write_eof()
    except BaseException as ended:
        if request.transport is not None:
            request.transport.abort()  # a clean end would make a partial document look complete
        if isinstance(ended, TimeoutError):
            raise ServiceUnavailable(detail="The client has stopped reading") from ended
        raise
    return response
