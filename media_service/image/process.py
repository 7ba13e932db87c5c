"""One decoding process, as the service sees it: asked, timed, killed, started again."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import structlog

from media_service.image import frames
from media_service.image.errors import BrokenImage, ImageTooLarge, UnsupportedImage
from media_service.image.model import ImageFacts, Made
from shared.errors import DomainError, ServiceUnavailable

CPU_SECONDS = 6
WALL_SECONDS = 9
START_SECONDS = 20
STOP_SECONDS = 1
_REFUSALS: dict[str, type[DomainError]] = {
    error.code: error for error in (UnsupportedImage, BrokenImage, ImageTooLarge)
}
_PACKAGE_ROOT = Path(__file__).parents[2]
INHERITED = ("PATH", "LD_LIBRARY_PATH", "TZ")

log = structlog.get_logger()


class Worker:
    """A process that decodes one picture at a time; started when it is first asked."""

    def __init__(self, max_pixels: int) -> None:
        """Start nothing yet."""
        self._max_pixels = max_pixels
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """Return the process' id, None while there is none."""
        return self._process.pid if self._process else None

    async def render(self, path: Path) -> ImageFacts:
        """Return what the picture is; what is served of it lies beside it then.

        Raises:
            UnsupportedImage, BrokenImage, ImageTooLarge: as the decoder found it; one that takes
                more than `CPU_SECONDS` or `WALL_SECONDS` counts as broken.
            ServiceUnavailable: the process died for a reason that may not be the picture's.
            OSError: the process could not read or write, for want of room say.
        """
        process = self._process or await self.start()
        try:
            answer = await self._ask(process, path)
        except BaseException:
            await self.kill()
            raise
        if refused := answer.get("refused"):
            raise _REFUSALS[refused](answer["detail"])
        if "failed" in answer:
            raise OSError(answer["failed"], os.strerror(answer["failed"] or 0))
        return _facts(answer)

    async def start(self) -> Process:
        """Start the process and wait until it can decode."""
        process = self._process = await asyncio.create_subprocess_exec(
            *worker_command(),
            stdin=PIPE,
            stdout=PIPE,
            cwd=_PACKAGE_ROOT,
            env=_environment(),
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                await _receive(process)
        except (TimeoutError, EOFError, OSError) as failed:
            await self.kill()
            raise ServiceUnavailable from failed
        log.debug("image_worker.started", pid=process.pid)
        return process

    async def stop(self) -> None:
        """End the process: by closing its input, and by force when that is not enough."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
        await self.kill()

    async def kill(self) -> None:
        """End the process at once and wait for its end; the next job starts another."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        await process.wait()

    async def _ask(self, process: Process, path: Path) -> frames.Message:
        job = {"path": str(path), "max_pixels": self._max_pixels, "cpu_seconds": CPU_SECONDS}
        try:
            async with asyncio.timeout(WALL_SECONDS):
                await _send(process, job)
                return await _receive(process)
        except TimeoutError:
            log.warning("image_worker.overran", pid=process.pid)
            raise BrokenImage("the image takes too long to decode") from None
        except (EOFError, OSError):
            raise await _explain_death(process) from None


def worker_command() -> list[str]:
    """Return the command that starts a decoding process, which ends with this one."""
    return [sys.executable, "-m", "media_service.image.worker", str(os.getpid())]


def _facts(answer: frames.Message) -> ImageFacts:
    made = tuple(Made(**one) for one in answer.pop("made"))
    return ImageFacts(**answer, made=made)


async def _explain_death(process: Process) -> DomainError:
    """Return what the process' end means for the picture it was decoding."""
    status = await process.wait()
    log.warning("image_worker.died", pid=process.pid, status=status)
    if status == -signal.SIGXCPU:
        return BrokenImage("the image takes too long to decode")
    return ServiceUnavailable()


async def _send(process: Process, message: frames.Message) -> None:
    if process.stdin is None:
        raise EOFError
    process.stdin.write(frames.pack(message))
    await process.stdin.drain()


async def _receive(process: Process) -> frames.Message:
    if process.stdout is None:
        raise EOFError
    header = await process.stdout.readexactly(frames.LENGTH_BYTES)
    return frames.unpack(await process.stdout.readexactly(frames.frame_length(header)))


def _environment() -> dict[str, str]:
    """Return the little that the process needs: no secret, and one memory arena.

    Every thread's arena of glibc reserves 64 MiB of the address space that the limit counts.
    """
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return kept | {"MALLOC_ARENA_MAX": "1", "PYTHONDONTWRITEBYTECODE": "1"}
