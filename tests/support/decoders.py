"""Decoders that tests share, those that run a test's own program, and how many were started."""

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from itertools import chain
from pathlib import Path

import pytest

from media_service.image.model import DecodeLimits, ImageInfo
from media_service.image.worker import process
from media_service.image.worker.pool import DecoderPool
from media_service.image.worker.process import DecoderProcess
from tests.support.lasting_loop import lasting_loop

USUAL_COMMAND, USUAL_VARIABLES = process.worker_command, process.INHERITED


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


class DecoderLender:
    """Lends the services of a test process their decoders, which serve one test after the other.

    Starting one costs more CPU than most tests that need one. They live in a loop of their own,
    because each test's loop ends with the test.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop
        self._idle: defaultdict[DecodeLimits, list[DecoderProcess]] = defaultdict(list)

    def process_ids(self) -> list[int]:
        """The processes of the decoders that are not lent."""
        return [one.pid for one in chain.from_iterable(self._idle.values()) if one.pid]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Lend inside the block; end the decoders with it."""
        with lasting_loop() as self._loop:  # the kernel ends a decoder with the thread it is from
            yield
            for decoder in chain.from_iterable(self._idle.values()):
                asyncio.run_coroutine_threadsafe(decoder.stop(), self._loop).result()

    @asynccontextmanager
    async def open_pool(self, count: int, limits: DecodeLimits) -> AsyncIterator[DecoderPool]:
        """As `open_decoder_pool`, but each process starts with its first picture.

        A test that changes how decoders start has its own.
        """
        if (process.worker_command, process.INHERITED) != (USUAL_COMMAND, USUAL_VARIABLES):
            own = [DecoderProcess(limits) for _ in range(count)]
            try:
                yield DecoderPool(own)
            finally:
                await asyncio.gather(*(decoder.stop() for decoder in own))
            return
        idle = self._idle[limits]
        lent = [idle.pop() if idle else DecoderProcess(limits) for _ in range(count)]
        try:
            yield DecoderPool([_LentDecoder(decoder, self._loop) for decoder in lent])
        finally:
            idle += lent


class _LentDecoder(DecoderProcess):
    """A decoder that works in another thread's loop."""

    def __init__(self, decoder: DecoderProcess, loop: asyncio.AbstractEventLoop) -> None:
        self._decoder, self._loop = decoder, loop

    async def render(self, path: Path) -> ImageInfo:
        """Return what the decoder returns; a cancellation lasts until the decoder has ended."""
        ended = Future[ImageInfo]()
        tasks: list[asyncio.Task[ImageInfo]] = []

        def start() -> None:
            tasks.append(self._loop.create_task(self._decoder.render(path)))
            tasks[0].add_done_callback(lambda task: _copy_outcome(task, ended))

        def cancel() -> None:
            tasks[0].cancel()

        self._loop.call_soon_threadsafe(start)
        outcome = asyncio.wrap_future(ended)
        try:
            return await asyncio.shield(outcome)
        except asyncio.CancelledError:
            self._loop.call_soon_threadsafe(cancel)  # after `start`
            await asyncio.gather(outcome, return_exceptions=True)
            raise


def _copy_outcome(task: asyncio.Task[ImageInfo], ended: Future[ImageInfo]) -> None:
    if task.cancelled():
        ended.cancel()
    elif error := task.exception():
        ended.set_exception(error)
    else:
        ended.set_result(task.result())


def is_picture(info: ImageInfo) -> bool:
    """Return whether the info are those of the suite's usual PNG."""
    return (info.content_type, info.width, info.height) == ("image/png", 64, 48)


def process_ids(pool: DecoderPool) -> list[int]:
    """The processes of the decoders that have started."""
    return [worker.pid for worker in pool.workers if worker.pid]
