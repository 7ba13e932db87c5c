"""A client that notes when: kept-alive connections, one request in flight on each."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from tests.bench.raw_http import measure


@dataclass(frozen=True)
class Seen:
    """An answer's status, and when its request left and it was in, on the wall clock."""

    status: int
    sent: float
    received: float


class Line(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        found = measure(self._buffer)
        if found and self._answer and not self._answer.done():
            self._buffer.clear()
            self._answer.set_result(found[0])

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("closed"))

    async def ask(self, request: bytes) -> Seen:
        if self._transport is None:
            raise ConnectionError
        self._answer = asyncio.get_running_loop().create_future()
        sent = time.time()
        self._transport.write(request)
        status = await self._answer
        return Seen(status, sent, time.time())

    @property
    def open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        if self._transport:
            self._transport.close()


class Lines:
    """Up to `count` connections to one server; who asks waits for a free one."""

    def __init__(self, port: int, count: int) -> None:
        self._port = port
        self._room = asyncio.Semaphore(count)
        self._idle: list[Line] = []

    @asynccontextmanager
    async def free(self) -> AsyncIterator[Line]:
        """Lend one that nobody uses; one that the server has closed for silence is replaced."""
        async with self._room:
            line = self._idle.pop() if self._idle else None
            if line is None or not line.open:
                loop = asyncio.get_running_loop()
                _, line = await loop.create_connection(Line, "127.0.0.1", self._port)
            yield line
            self._idle.append(line)

    async def ask(self, request: bytes) -> Seen:
        async with self.free() as line:
            return await line.ask(request)

    def close(self) -> None:
        for line in self._idle:
            line.close()
