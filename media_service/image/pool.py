"""A few decoding processes behind one bounded queue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from media_service.image.model import ImageFacts
from media_service.image.process import Worker
from shared.errors import ServiceUnavailable

QUEUE_PER_WORKER = 128
QUEUE_SECONDS = 30
RETRY_AFTER = 5
log = structlog.get_logger()


class ImagePool:
    """Hands pictures to whichever process is free, in the order in which they came.

    A `ProcessPoolExecutor` fails every job in hand when one of its processes dies; here a death
    costs the one picture that the process was decoding.
    """

    def __init__(self, workers: list[Worker]) -> None:
        """Take processes that are not shared with another pool."""
        self._workers = workers
        self._free: asyncio.Queue[Worker] = asyncio.Queue()
        self._waiting = 0
        for worker in workers:
            self._free.put_nowait(worker)

    @property
    def waiting(self) -> int:
        """Return how many pictures wait for a process."""
        return self._waiting

    def require_room(self) -> None:
        """Return when one more picture may wait; asked before an upload's body is read.

        Raises:
            ServiceUnavailable: the queue is full.
        """
        if self._waiting >= QUEUE_PER_WORKER * len(self._workers):
            raise ServiceUnavailable(RETRY_AFTER, "too many images are waiting to be decoded")

    async def inspect(self, path: Path) -> ImageFacts:
        """Return what the picture is, after its turn has come.

        Raises:
            UnsupportedImage, BrokenImage, ImageTooLarge: the picture is refused.
            ServiceUnavailable: the queue is full or too slow, or the process died.
        """
        self.require_room()
        worker = await self._next_worker()
        try:
            return await worker.inspect(path)
        finally:
            self._free.put_nowait(worker)

    async def _next_worker(self) -> Worker:
        self._waiting += 1
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                return await self._free.get()
        except TimeoutError:
            raise ServiceUnavailable(RETRY_AFTER, "decoding is overloaded") from None
        finally:
            self._waiting -= 1


@asynccontextmanager
async def open_pool(count: int, max_pixels: int) -> AsyncIterator[ImagePool]:
    """Start `count` processes; end them with the context."""
    workers = [Worker(max_pixels) for _ in range(count)]
    try:
        await asyncio.gather(*(worker.start() for worker in workers))
        yield ImagePool(workers)
    finally:
        await asyncio.gather(*(worker.stop() for worker in workers))
