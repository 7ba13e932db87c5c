"""Temporary files, written away from the event loop."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import structlog

from media_service.storage.errors import translate_os_errors
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors import ServiceUnavailable
from shared.logs import describe_error

P = ParamSpec("P")
T = TypeVar("T")

log = structlog.get_logger()


class TempFile:
    """A file that is written in threads, until it is put into the store.

    A running thread is waited for before the file is closed, also when the request is cancelled:
    its descriptor's number might belong to another file by then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1
        self._running: asyncio.Future[Any] | None = None

    async def create(self) -> None:
        """Create the file, which must not exist."""
        await self._run_in_thread(self._create)

    async def write(self, *pieces: bytes | memoryview) -> None:
        """Append all of the pieces.

        Raises:
            StorageFull: there is no room.
        """
        await self._run_in_thread(self._append, pieces)

    async def digest(self) -> bytes:
        """Return the SHA-256 of what was written, by reading it again."""
        return await self._run_in_thread(self._digest)

    async def close_and_delete(self) -> None:
        """Close the file and remove it, with the files beside it."""
        if self._running:
            await asyncio.wait([self._running])
        try:
            await self._run_in_thread(self._remove)
        except ServiceUnavailable as failed:  # `delete_stale` removes it
            log.warning("file.removal_failed", key=self.path.name, error=describe_error(failed))

    async def _run_in_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        work = self._running = loop.run_in_executor(None, partial(call, *args, **kwargs))
        with translate_os_errors():
            return await asyncio.shield(work)

    def _create(self) -> None:
        self._descriptor = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)

    def _append(self, pieces: Sequence[bytes | memoryview]) -> None:
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def _digest(self) -> bytes:
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()

    def _remove(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        with os.scandir(self.path.parent) as entries:  # glob compiles a pattern for each upload
            ours = [entry.path for entry in entries if entry.name.startswith(self.path.name)]
        for path in ours:
            Path(path).unlink(missing_ok=True)


class TempDir:
    """Creates temporary files; abandoned ones are removed by their age."""

    def __init__(self, directory: Path, clock: Clock, entropy: Entropy) -> None:
        self._directory = directory
        self._clock = clock
        self._entropy = entropy

    async def prepare(self) -> None:
        """Create the directory, closed to other users."""
        await asyncio.to_thread(self._directory.mkdir, mode=0o700, parents=True, exist_ok=True)

    @asynccontextmanager
    async def create(self) -> AsyncIterator[TempFile]:
        """Open a new temporary file; at the end, remove it and the files beside it."""
        temp_file = TempFile(self._directory / self._entropy.bytes(16).hex())
        try:
            await temp_file.create()
            yield temp_file
        finally:
            await temp_file.close_and_delete()

    async def delete_stale(self, older_than: timedelta) -> int:
        """Delete temporary files untouched for that long; return how many."""
        before = (self._clock.now() - older_than).timestamp()
        return await asyncio.to_thread(self._delete_stale, before)

    def _delete_stale(self, before: float) -> int:
        stale = [path for path in self._directory.iterdir() if is_untouched_since(path, before)]
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)


def is_untouched_since(path: Path, before: float) -> bool:
    """Return whether file and name are older than that: a rename sets ctime and keeps mtime."""
    try:
        facts = path.stat()
    except FileNotFoundError:
        return False
    return max(facts.st_mtime, facts.st_ctime) <= before
