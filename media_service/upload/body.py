"""The body of an upload as chunks: counted, timed, and few of them in memory at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
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


Take = Callable[[Sequence[bytes]], Awaitable[None]]
"""What deals with some pieces of a body before more of it is read."""


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
        self._received = 0

    async def deliver(self, take: Take) -> None:
        """Hand the body to `take`, just over `CHUNK_BYTES` at a time at most, keeping none.

        Raises:
            BodyTooLarge: as soon as there is more than the limit, whatever was announced.
            UploadTooSlow: the client is below the minimum rate.
            MalformedRequest: the connection ended before the body did.
        """
        while await self._hand_over(b"", take) or await self._wait(take):
            pass

    async def _hand_over(self, first: bytes, take: Take) -> bool:
        """Hand over `first` and what is here behind it; return whether there was anything."""
        async with self._slots:
            with _breaking_off():
                rest = self._stream.read_nowait(CHUNK_BYTES)
            pieces = [piece for piece in (first, rest) if piece]
            if pieces:
                self._count(pieces)
                await take(pieces)
        return bool(pieces)

    async def _wait(self, take: Take) -> bool:
        """Wait for more, and hand it over with what has come with it; return whether there is."""
        first = await self._first_byte()
        return bool(first) and await self._hand_over(first, take)

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

    def _count(self, pieces: Sequence[bytes]) -> None:
        count = sum(map(len, pieces))
        self._pace.received(count)
        self._received += count
        if self._received > self._limits.max_body_bytes:
            raise BodyTooLarge(f"a file has at most {self._limits.max_file_bytes} bytes")


@contextmanager
def _breaking_off() -> Iterator[None]:
    """Say what a connection that ends before the body means."""
    try:
        yield
    except TimeoutError:
        raise
    except OSError:
        raise MalformedRequest("the connection ended before the body did") from None
