"""Decoders that run a program of a test's own or start late, and how many were started."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from media_service.image.model import DecodeLimits, ImageInfo
from media_service.image.worker import process
from media_service.image.worker.pool import DecoderPool
from media_service.image.worker.process import DecoderProcess


class StartedDecoders:
    """Stands in for `process.worker_command`."""

    def __init__(self, usual: Callable[[float], list[str]]) -> None:
        self._usual = usual
        self._program = ""
        self.count = 0

    def run(self, *lines: str) -> None:
        """Let the decoders that start from now on run these lines; `main(PARENT)` is to be called.

        The module `media_service.image.worker.decoder` is `worker` there; `PARENT` is this
        process.
        """
        head = ["import media_service.image.worker.decoder as worker", f"PARENT = {os.getpid()}"]
        self._program = "\n".join([*head, *lines])

    def command(self, scale: float) -> list[str]:
        self.count += 1
        return [sys.executable, "-c", self._program] if self._program else self._usual(scale)


@contextmanager
def started_decoders() -> Iterator[StartedDecoders]:
    started = StartedDecoders(process.worker_command)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "worker_command", started.command)
        yield started


@asynccontextmanager
async def open_late_decoder_pool(count: int, limits: DecodeLimits) -> AsyncIterator[DecoderPool]:
    """As `open_decoder_pool`, but each process starts with its first picture.

    Many tests send none, and a start costs more CPU than such a test.
    """
    pool = DecoderPool([DecoderProcess(limits) for _ in range(count)])
    try:
        yield pool
    finally:
        await asyncio.gather(*(worker.stop() for worker in pool.workers))


def is_picture(info: ImageInfo) -> bool:
    """Return whether the info are those of the suite's usual PNG."""
    return (info.content_type, info.width, info.height) == ("image/png", 64, 48)


def process_ids(pool: DecoderPool) -> list[int]:
    """The processes of the decoders that have started."""
    return [worker.pid for worker in pool.workers if worker.pid]
