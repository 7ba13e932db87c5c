"""The body of an upload as chunks: counted, timed, and few of them in memory at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from media_service.upload.errors import UploadTooSlow
from media_service.upload.model import CHUNK_BYTES, Pace, UploadLimits
from shared.clock import Clock
from shared.errors import BodyTooLarge, MalformedRequest


class ByteStream(Protocol):
    """Where the bytes come from, as aiohttp's `StreamReader` offers them."""

    async def read(self, n: int = ..., /) -> bytes:
        """Return up to `n` bytes, at least one unless the stream has ended."""
        ...

    def read_nowait(self, n: int = ..., /) -> bytes:
        """Return up to `n` bytes of those that are here already."""
        ...


class UploadBody:
    """Reads a body once.

    A slot is held from the moment at which bytes are here until they are dealt with, never while
    waiting for a client: slow clients do not stop fast ones, and the chunks in hand stay few.
    """

    def __init__(
        self, stream: ByteStream, limits: UploadLimits, slots: asyncio.Semaphore, clock: Clock
    ) -> None:
        """Read nothing yet."""
        self._stream = stream
        self._limits = limits
        self._slots = slots
        self._clock = clock
        self._pace = Pace(limits)
        self._count = 0

    async def deliver(self, take: Callable[[bytes], Awaitable[None]]) -> None:
        """Hand the body to `take` in chunks of up to `CHUNK_BYTES`, to its end, keeping none.

        Raises:
            BodyTooLarge: as soon as there is more than the limit, whatever was announced.
            UploadTooSlow: the client is below the minimum rate.
            MalformedRequest: the connection ended before the body did.
        """
        while await self._hand_over(take) or await self._wait(take):
            pass

    async def _hand_over(self, take: Callable[[bytes], Awaitable[None]]) -> bool:
        """Hand over what is here already; return whether there was anything."""
        async with self._slots:
            with _breaking_off():
                chunk = self._stream.read_nowait(CHUNK_BYTES)
            if chunk:
                await take(self._counted(chunk))
        return bool(chunk)

    async def _wait(self, take: Callable[[bytes], Awaitable[None]]) -> bool:
        """Wait for more, and hand one byte of it over; return whether there is any."""
        first = await self._first_byte()
        if first:
            async with self._slots:
                await take(self._counted(first))
        return bool(first)

    async def _first_byte(self) -> bytes:
        asked = self._clock.monotonic()
        try:
            with _breaking_off():
                async with asyncio.timeout(self._pace.left):
                    return await self._stream.read(1)
        except TimeoutError:
            raise UploadTooSlow from None
        finally:
            self._pace.waited(self._clock.monotonic() - asked)

    def _counted(self, chunk: bytes) -> bytes:
        self._pace.received(len(chunk))
        self._count += len(chunk)
        if self._count > self._limits.max_body_bytes:
            raise BodyTooLarge(f"a file has at most {self._limits.max_file_bytes} bytes")
        return chunk


@contextmanager
def _breaking_off() -> Iterator[None]:
    """Say what a connection that ends before the body means."""
    try:
        yield
    except TimeoutError:
        raise
    except OSError:
        raise MalformedRequest("the connection ended before the body did") from None
