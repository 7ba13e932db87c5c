"""A temporary file that is written away from the event loop."""

import asyncio
import errno
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from media_service.storage.errors import StorageFull

P = ParamSpec("P")
T = TypeVar("T")

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def translate_disk_full() -> Iterator[None]:
    """Raise `StorageFull` for the operating system's errors of a full disk."""
    try:
        yield
    except OSError as failed:
        if failed.errno in _FULL:
            raise StorageFull from failed
        raise


class LocalTempFile:
    """A file that is written in threads, one call at a time.

    A running thread is waited for before the file is closed, also when the request is cancelled:
    its descriptor's number might belong to another file by then.
    """

    def __init__(self, path: Path) -> None:
        """Open nothing yet."""
        self._path = path
        self._descriptor = -1
        self._running: asyncio.Future[Any] | None = None

    @property
    def path(self) -> Path:
        """Return where the file is."""
        return self._path

    async def create(self) -> None:
        """Create the file, which must not exist."""
        await self._run_in_thread(self._create)

    async def write(self, *pieces: bytes | memoryview) -> None:
        """Append all of the pieces."""
        with translate_disk_full():
            await self._run_in_thread(self._append, pieces)

    async def digest(self) -> bytes:
        """Return the SHA-256 of what was written, by reading it again."""
        return await self._run_in_thread(self._digest)

    async def close_and_delete(self) -> None:
        """Close the file and remove it, with the files beside it."""
        if self._running:
            await asyncio.wait([self._running])
        await self._run_in_thread(self._remove)

    async def _run_in_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        work = self._running = loop.run_in_executor(None, partial(call, *args, **kwargs))
        return await asyncio.shield(work)

    def _create(self) -> None:
        self._descriptor = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)

    def _append(self, pieces: Sequence[bytes | memoryview]) -> None:
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def _digest(self) -> bytes:
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()

    def _remove(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        with os.scandir(self._path.parent) as entries:  # glob compiles a pattern for each upload
            ours = [entry.path for entry in entries if entry.name.startswith(self._path.name)]
        for path in ours:
            Path(path).unlink(missing_ok=True)
