"""A relay that takes a client's bytes as slowly as a phone line does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

PIECE_BYTES, PIECE_SECONDS = 64 * 1024, 0.04
"""1.6 MB a second: 5 MB take longer than the 2 s after which a refused client was once cut off."""


@contextlib.asynccontextmanager
async def slow_line(address: str) -> AsyncIterator[str]:
    """Yield this machine's address of a slow line to another address."""
    place = urlsplit(address)
    tasks: set[asyncio.Task[None]] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward_reader, onward_writer = await asyncio.open_connection(
            place.hostname, place.port or 80
        )
        try:
            await asyncio.gather(
                _pass(reader, onward_writer, PIECE_SECONDS), _pass(onward_reader, writer, 0)
            )
        finally:
            onward_writer.transport.abort()
            writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(relay(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pause: float) -> None:
    """Pass one direction on, its end too: nginx ends its own before it has read all of ours."""
    while data := await reader.read(PIECE_BYTES):
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(pause)
    writer.write_eof()
