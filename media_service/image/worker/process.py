"""A decoder process as the service controls it: jobs, time limits, restarts."""

import asyncio
import contextlib
import os
import socket
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import asdict
from pathlib import Path

import structlog

from media_service.image.errors import BrokenImage
from media_service.image.job_files import open_job_files, rendition_sizes
from media_service.image.model import DecodeLimits, ImageInfo
from media_service.image.worker import ipc
from media_service.image.worker.idle_state import IdleState
from media_service.image.worker.job_time import limit_job_time
from media_service.image.worker.response import check_sizes, parse_response
from shared.errors import ServiceUnavailable

CPU_SECONDS = 6
WALL_SECONDS = 9
"""For pictures of 50 megapixels; more of them have more time in proportion."""
START_SECONDS = 20
STOP_SECONDS = 1
_PACKAGE_ROOT = Path(__file__).parents[3]
INHERITED = ("LD_LIBRARY_PATH",)

log = structlog.get_logger()


class DecoderCrashed(ServiceUnavailable):
    """The process ended before it answered, or sent an invalid response."""


class DecoderProcess:
    """A process that decodes one picture at a time; started when it is first asked."""

    def __init__(self, limits: DecodeLimits) -> None:
        self._limits = limits
        self._process: Process | None = None
        self._jobs: socket.socket | None = None
        self._idle: IdleState | None = None
        self.sandbox: tuple[str, ...] = ()
        """The safeguards that were active before its first picture (`sandbox.SAFEGUARDS`)."""

    @property
    def pid(self) -> int | None:
        """Return the process' id, None while there is none."""
        return self._process.pid if self._process else None

    async def render(self, path: Path) -> ImageInfo:
        """Return what the picture is, with its renditions written beside it.

        A picture whose decoder dies is tried once more in a fresh one: most deaths are not its own.

        Raises:
            UnsupportedImage, BrokenImage, ImageLimitExceeded: as the decoder found it. A picture
                that takes more than `CPU_SECONDS` or `WALL_SECONDS` is broken: no second try.
            ServiceUnavailable: the second decoder died too, or none can start.
            OSError: a file could not be read or written, for want of room say.
        """
        try:
            return await self._render_once(path)
        except DecoderCrashed:
            return await self._render_once(path)

    async def _render_once(self, path: Path) -> ImageInfo:
        await self._replace_if_changed()
        process = self._process or await self.start()
        try:
            response = await self._run_job(process, path)
        except OSError:
            raise  # a file cannot be opened: no job was sent
        except BaseException:
            await self.kill()
            raise
        if self._idle is not None:
            self._idle.end_job()
        await self._replace_if_changed()  # before the files are measured, which it might write
        try:
            info = parse_response(response, self._limits)
            check_sizes(info, await asyncio.to_thread(rendition_sizes, path))
        except (ValueError, KeyError, TypeError) as invalid:
            await self.kill()
            log.warning("image_worker.invalid_response", pid=process.pid)
            raise DecoderCrashed from invalid
        return info

    async def start(self) -> Process:
        """Start the process and wait until it can decode."""
        self._close_jobs()
        self._jobs, theirs = socket.socketpair()
        self._jobs.setblocking(False)
        with theirs:
            process = self._process = await asyncio.create_subprocess_exec(
                *worker_command(self._limits.scale),
                stdin=theirs.fileno(),
                stdout=PIPE,
                cwd=_PACKAGE_ROOT,
                env=_environment(),
            )
        try:
            async with asyncio.timeout(START_SECONDS):
                self.sandbox = tuple((await _receive(process))["sandbox"])
            self._idle = await asyncio.to_thread(IdleState, process.pid)
        except BaseException as failed:
            await self.kill()
            if isinstance(failed, (TimeoutError, EOFError)):
                raise ServiceUnavailable from failed
            raise
        log.debug("image_worker.started", pid=process.pid)
        return process

    async def _replace_if_changed(self) -> None:
        """End a process that changed: it holds or does more between jobs than at its start."""
        if self._process is None or self._idle is None:
            return
        try:
            fault = await self._idle.find_fault()
        except asyncio.CancelledError:
            await self.kill()
            raise
        if fault is not None:
            log.info("image_worker.replaced", pid=self._process.pid, fault=fault)
            await self.kill()

    async def stop(self) -> None:
        """End the process: by closing its input, and by force when that is not enough."""
        self._close_jobs()
        if self._process is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
        await self.kill()

    async def kill(self) -> None:
        """End the process at once and wait for its end; the next job starts another."""
        self._close_jobs()
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        await process.wait()

    def _close_jobs(self) -> None:
        if self._jobs is not None:
            self._jobs.close()
            self._jobs = None

    async def _run_job(self, process: Process, path: Path) -> ipc.Message:
        try:
            await self._send_picture(path)
            answer = asyncio.create_task(_receive(process))
            wall, cpu = WALL_SECONDS * self._limits.scale, CPU_SECONDS * self._limits.scale
            return await limit_job_time(answer, process.pid, wall=wall, cpu=cpu)
        except TimeoutError:
            log.warning("image_worker.timed_out", pid=process.pid)
            raise BrokenImage("the image takes too long to decode") from None
        except (EOFError, ValueError, RecursionError) as ended:
            await self.kill()
            log.warning("image_worker.died", pid=process.pid, status=process.returncode)
            raise DecoderCrashed from ended

    async def _send_picture(self, path: Path) -> None:
        """Hand the picture over; a thread that is under way is waited for.

        It makes files that are to be removed after it, and uses a socket that is to be closed.
        """
        job = asdict(self._limits)
        work = asyncio.get_running_loop().run_in_executor(None, _send_job, self._jobs, job, path)
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.gather(work, return_exceptions=True)
            raise


def worker_command(scale: float) -> list[str]:
    """Return the command that starts a decoding process, which ends with this one."""
    module = "media_service.image.worker.decoder"
    return [sys.executable, "-m", module, str(os.getpid()), str(scale)]


def _send_job(jobs: socket.socket | None, job: ipc.Message, path: Path) -> None:
    """Open the picture's files and send them with the job.

    Raises:
        OSError: a file cannot be opened.
        EOFError: the process has ended.
    """
    with open_job_files(path) as files:
        try:
            if jobs is None:
                raise EOFError
            ipc.send(jobs, job, files.descriptors)
        except OSError as ended:
            raise EOFError from ended


async def _receive(process: Process) -> ipc.Message:
    if process.stdout is None:
        raise EOFError
    try:
        header = await process.stdout.readexactly(ipc.LENGTH_BYTES)
        return ipc.unpack(await process.stdout.readexactly(ipc.frame_length(header)))
    except OSError as ended:
        raise EOFError from ended


def _environment() -> dict[str, str]:
    """Return the little that the process needs: no secret, and one memory arena.

    Every thread's arena of glibc reserves 64 MiB of the address space that the limit counts.
    """
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return kept | {"MALLOC_ARENA_MAX": "1", "PYTHONDONTWRITEBYTECODE": "1"}
