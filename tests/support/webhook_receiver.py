"""A webhook's receiver, written by hand, so that it can misbehave in any way."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from multidict import CIMultiDict

HOST = "127.0.0.77"
Respond = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class ReceivedRequest:
    """A request as its bytes came."""

    line: str
    headers: CIMultiDict[str]
    body: bytes


def answering(status: int, body: bytes = b"", *headers: str) -> Respond:
    """Return an answer of one status, whole at once."""

    async def respond(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode() + body)

    return respond


@dataclass
class Receiver:
    """Counts connections, keeps requests, and answers as `respond` says."""

    respond: Respond = field(default_factory=lambda: answering(200))
    connections: int = 0
    requests: list[ReceivedRequest] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._exchange(reader, writer)
        finally:
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = [line.split(": ", 1) for line in head[1:] if line]
        headers = CIMultiDict((name, value) for name, value in pairs)
        body = await reader.readexactly(int(headers.get("Content-Length", "0")))
        self.requests.append(ReceivedRequest(head[0], headers, body))
        await self.respond(reader, writer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@contextlib.asynccontextmanager
async def open_receiver(
    *, sock: socket.socket | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """Listen on a socket inside the block, else on a loopback address that no other test has."""
    bound = sock or socket.create_server((HOST, 0))
    receiver = Receiver(port=bound.getsockname()[1])
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        with contextlib.suppress(asyncio.CancelledError):  # by the end of the block
            await receiver.serve(reader, writer)

    server = await asyncio.start_server(serve, sock=bound, ssl=tls)
    try:
        yield receiver
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # what was aborted closes now
