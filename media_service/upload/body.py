"""Reads the body of an upload in chunks: counted, timed, and few in memory at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from media_service.upload.errors import UploadTooSlow
from shared.clock import Clock
from shared.errors import BodyTooLarge, MalformedRequest

FORM_OVERHEAD_BYTES = 64 * 1024
CHUNK_BYTES = 256 * 1024
MAX_READING_CHUNKS = 32


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Bounds of one upload. `min_rate` is in bytes a second, `patience` in seconds.

    A phone that changes its cell sends nothing for up to half a minute.

    The whole body may be `FORM_OVERHEAD_BYTES` larger than the file in it.
    """

    max_file_bytes: int
    min_rate: int = 8 * 1024
    patience: float = 30.0

    @property
    def max_body_bytes(self) -> int:
        """Return how many bytes are read of a body at most."""
        return self.max_file_bytes + FORM_OVERHEAD_BYTES


class ByteStream(Protocol):
    """The source of the bytes: the part of aiohttp's `StreamReader` that is used."""

    async def read(self, n: int = ..., /) -> bytes:
        """Return up to `n` bytes, at least one unless the stream has ended."""

    def read_nowait(self, n: int = ..., /) -> bytes:
        """Return up to `n` bytes of those that have arrived."""


ConsumeChunks = Callable[[Sequence[bytes]], Awaitable[None]]
"""Processes some pieces of a body before more of it is read."""


class UploadTimeBudget:
    """A budget of waiting time: at most `patience` seconds, earned by the bytes that arrive.

    Only time spent waiting for the client counts, so a busy disk on our side costs it nothing. The
    budget does not grow beyond `patience`, so a stalled client is noticed however fast it was.
    """

    def __init__(self, limits: UploadLimits) -> None:
        self._limits = limits
        self._remaining = limits.patience

    @property
    def remaining(self) -> float:
        """Return the seconds that the next byte may take, at least zero."""
        return max(0.0, self._remaining)

    def spend(self, seconds: float) -> None:
        """Take the waited time off the budget."""
        self._remaining -= seconds

    def earn(self, count: int) -> None:
        """Add the time that `count` bytes may take at the minimum rate."""
        self._remaining = min(
            self._limits.patience, self._remaining + count / self._limits.min_rate
        )


class UploadBody:
    """Reads a body once.

    It holds a slot from the arrival of bytes until they are processed, never while it waits for the
    client. So slow clients do not stop fast ones, and few chunks are in memory.
    """

    def __init__(
        self, stream: ByteStream, limits: UploadLimits, slots: asyncio.Semaphore, clock: Clock
    ) -> None:
        self._stream = stream
        self._limits = limits
        self._slots = slots
        self._clock = clock
        self._time_budget = UploadTimeBudget(limits)
        self._received = 0

    async def deliver(self, consume: ConsumeChunks) -> None:
        """Pass the body to `consume`, little more than `CHUNK_BYTES` at a time, and keep nothing.

        Raises:
            BodyTooLarge: as soon as the body exceeds the limit, whatever was declared.
            UploadTooSlow: the client is below the minimum rate.
            MalformedRequest: the connection ended before the body did.
        """
        while await self._consume_available(b"", consume) or await self._wait_and_consume(consume):
            pass

    async def _consume_available(self, first: bytes, consume: ConsumeChunks) -> bool:
        """Consume `first` and what has arrived behind it; return whether there was anything."""
        async with self._slots:
            with _translate_disconnect():
                rest = self._stream.read_nowait(CHUNK_BYTES)
            pieces = [piece for piece in (first, rest) if piece]
            if pieces:
                self._count(pieces)
                await consume(pieces)
        return bool(pieces)

    async def _wait_and_consume(self, consume: ConsumeChunks) -> bool:
        """Wait for more bytes and consume them; return whether there are any."""
        first = await self._read_first_byte()
        return bool(first) and await self._consume_available(first, consume)

    async def _read_first_byte(self) -> bytes:
        started = self._clock.monotonic()
        try:
            with _translate_disconnect():
                async with asyncio.timeout(self._time_budget.remaining):
                    return await self._stream.read(1)
        except TimeoutError:
            raise UploadTooSlow from None
        finally:
            self._time_budget.spend(self._clock.monotonic() - started)

    def _count(self, pieces: Sequence[bytes]) -> None:
        count = sum(map(len, pieces))
        self._time_budget.earn(count)
        self._received += count
        if self._received > self._limits.max_body_bytes:
            raise BodyTooLarge.of("a file", self._limits.max_file_bytes)


@contextmanager
def _translate_disconnect() -> Iterator[None]:
    """Raise `MalformedRequest` for a connection that ends before the body."""
    try:
        yield
    except TimeoutError:
        raise
    except OSError:
        raise MalformedRequest("the connection ended before the body did") from None
