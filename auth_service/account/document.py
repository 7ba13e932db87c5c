"""An export as one JSON document, written piece by piece."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import NamedTuple, TypeVar

from aiohttp import web
from pydantic import TypeAdapter

from auth_service.account.exporting import Export
from auth_service.account.model import ReadBatch, RowKey
from auth_service.account.repository import read_events, read_sessions, read_tokens
from auth_service.account.schemas import ExportedSession, ExportedToken, ExportHead
from auth_service.audit.schemas import EventAnswer
from auth_service.user.schemas import UserAnswer
from shared.errors import ServiceUnavailable

WRITE_SECONDS = 30
Shown = TypeVar("Shown")


def _encoder(shown: TypeAdapter[list[Shown]]) -> Callable[[Sequence[object]], bytes]:
    """Return what writes rows as the items of a JSON list, without its brackets."""

    def encode(rows: Sequence[object]) -> bytes:
        return shown.dump_json(shown.validate_python(rows, from_attributes=True))[1:-1]

    return encode


class _List(NamedTuple):
    """A list of the document: its name, where its rows come from and how they are written."""

    name: str
    read_batch: ReadBatch[object]
    encode: Callable[[Sequence[object]], bytes]


LISTS = (
    _List("sessions", read_sessions, _encoder(TypeAdapter(list[ExportedSession]))),
    _List("tokens", read_tokens, _encoder(TypeAdapter(list[ExportedToken]))),
    _List("events", read_events, _encoder(TypeAdapter(list[EventAnswer]))),
)


async def document_of(export: Export, now: datetime) -> AsyncGenerator[bytes]:
    """Yield the document; one batch of rows is in memory at a time."""
    head = ExportHead(
        exported_at=now,
        user=UserAnswer.model_validate(export.account.user),
        has_password=export.account.password is not None,
    )
    yield head.model_dump_json().encode().removesuffix(b"}")
    for one in LISTS:
        yield f',"{one.name}":['.encode()
        async for rows in _rows_of(export, one):
            yield rows
        yield b"]"
    yield b"}"


async def _rows_of(export: Export, one: _List) -> AsyncIterator[bytes]:
    after: RowKey | None = None
    separator = b""
    while True:
        text, after = await _next_rows(export, one, after)
        if text:
            yield separator + text
            separator = b","
        if after is None:
            return


async def _next_rows(
    export: Export, one: _List, after: RowKey | None
) -> tuple[bytes, RowKey | None]:
    batch = await export.read(one.read_batch, after)
    return one.encode(batch.rows), batch.last


async def send_document(request: web.Request, pieces: AsyncGenerator[bytes]) -> web.StreamResponse:
    """Answer with the pieces as they come; the connection is cut where they cannot all be sent.

    Raises:
        ServiceUnavailable: the client took nothing for `WRITE_SECONDS`.
    """
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                async with asyncio.timeout(WRITE_SECONDS):
                    await response.write(piece)
        async with asyncio.timeout(WRITE_SECONDS):
            await response.write_eof()
    except BaseException as ended:
        if request.transport is not None:
            request.transport.abort()  # else it would wait for the client, and might look whole
        if isinstance(ended, TimeoutError):
            raise ServiceUnavailable(detail="The client has stopped reading") from ended
        raise
    return response
