"""A temporary file that is written and hashed away from the event loop."""

import asyncio
import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from media_service.storage.errors import StorageFull
from media_service.storage.model import Digest

P = ParamSpec("P")
T = TypeVar("T")

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def full_disk_refused() -> Iterator[None]:
    """Turn the operating system's words for "no room" into `StorageFull`."""
    try:
        yield
    except OSError as failed:
        if failed.errno in _FULL:
            raise StorageFull from failed
        raise


class LocalStagedFile:
    """One thread hop per chunk writes and hashes it.

    A thread that is under way is waited for before the file is closed, also when the request is
    cancelled: its descriptor's number might belong to another file by then.
    """

    def __init__(self, path: Path) -> None:
        """Open nothing yet."""
        self._path = path
        self._descriptor = -1
        self._size = 0
        self._sha256 = hashlib.sha256()
        self._under_way: asyncio.Task[Any] | None = None

    @property
    def path(self) -> Path:
        """Return where the file is."""
        return self._path

    async def create(self) -> None:
        """Create the file, which must not exist."""
        await self._hop(self._create)

    async def write(self, data: bytes | memoryview) -> None:
        """Append all of `data`."""
        with full_disk_refused():
            await self._hop(self._append, data)

    async def seal(self) -> Digest:
        """Return what the file holds; it is the worker's to read now, and never kept itself."""
        return Digest(self._size, self._sha256.digest())

    async def discard(self) -> None:
        """Close the file and remove it, with those beside it that were not moved away."""
        if self._under_way:
            await asyncio.wait([self._under_way])
        await self._hop(self._remove)

    async def _hop(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        work = asyncio.create_task(asyncio.to_thread(call, *args, **kwargs))
        self._under_way = work
        return await asyncio.shield(work)

    def _create(self) -> None:
        self._descriptor = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)

    def _append(self, data: bytes | memoryview) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        self._sha256.update(data)
        self._size += len(data)

    def _remove(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        for path in (self._path, *self._path.parent.glob(f"{self._path.name}.*")):
            path.unlink(missing_ok=True)
