"""A pool of decoder processes behind one bounded, fair queue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from uuid import UUID

import structlog

from media_service.image.model import DecodeLimits, ImageInfo
from media_service.image.worker.process import DecoderProcess
from media_service.image.worker.sandbox import SAFEGUARDS
from shared.errors import ServiceUnavailable
from shared.fair_pool import FairPool

QUEUE_PER_WORKER = 128
QUEUE_SECONDS = 30
RETRY_AFTER = 5

log = structlog.get_logger()


class DecoderPool:
    """Hands pictures to whichever process is free; owners take turns.

    A `ProcessPoolExecutor` fails every job in hand when one of its processes dies; here a death
    costs the one picture that the process was decoding.
    """

    def __init__(self, workers: list[DecoderProcess]) -> None:
        self.workers = workers
        room = QUEUE_PER_WORKER * len(workers)
        self._queue = FairPool[UUID, DecoderProcess](
            workers,
            refusal=partial(ServiceUnavailable, RETRY_AFTER, "Too many images wait for a decoder"),
            capacity=room,
            capacity_per_key=room // 2,
        )

    @property
    def waiting(self) -> int:
        """Return how many pictures wait for a process."""
        return self._queue.waiting

    def require_capacity(self, owner: UUID) -> None:
        """Return when one more of the owner's pictures may wait; asked before a body is read.

        Raises:
            ServiceUnavailable: the queue, or the owner's part of it, has no place.
        """
        self._queue.require_capacity(owner)

    async def render(self, path: Path, owner: UUID) -> ImageInfo:
        """Wait for a process; return what the picture is, with its renditions written beside it.

        Raises:
            ServiceUnavailable: the queue refused it or was too slow.
            What `DecoderProcess.render` raises.
        """
        async with self._queue.turn(owner, QUEUE_SECONDS) as worker:
            return await worker.render(path)


@asynccontextmanager
async def open_decoder_pool(count: int, limits: DecodeLimits) -> AsyncIterator[DecoderPool]:
    """Start `count` processes; end them with the context."""
    workers = [DecoderProcess(limits) for _ in range(count)]
    try:
        await asyncio.gather(*(worker.start() for worker in workers))
        active = workers[0].sandbox
        missing = [name for name in SAFEGUARDS if name not in active]
        log.info("image_worker.sandbox", active=list(active), missing=missing)
        yield DecoderPool(workers)
    finally:
        await asyncio.gather(*(worker.stop() for worker in workers))
