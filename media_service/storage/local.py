"""A directory as a store: temporary file, fsync, rename, fsync of the directory."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import aiofiles
from aiofiles.threadpool.binary import AsyncBufferedReader

from media_service.storage.errors import ObjectMissing, translate_os_errors
from media_service.storage.model import CHUNK_BYTES, ObjectKey
from media_service.storage.temp_file import TempDir, is_untouched_since
from shared.clock import Clock
from shared.entropy import Entropy

LIST_BATCH = 500
_MKDIR_ATTEMPTS = 5


class LocalStorage:
    """Objects below `root/objects`, temporary files below `root/staging`.

    Both are on one file system, so that a rename moves a file whole or not at all.
    """

    def __init__(self, root: Path, clock: Clock, entropy: Entropy) -> None:
        self._objects = root / "objects"
        self.temp_dir = TempDir(root / "staging", clock, entropy)
        self._clock = clock
        self.last_error = f"{self._objects} is missing or may not be written"

    async def prepare(self) -> None:
        """Create both directories, closed to other users."""
        await asyncio.to_thread(self._objects.mkdir, mode=0o700, parents=True, exist_ok=True)
        await self.temp_dir.prepare()

    async def put(self, files: Mapping[ObjectKey, Path]) -> None:
        moves = {source: self._path(key) for key, source in files.items()}
        try:
            with translate_os_errors():
                await asyncio.to_thread(_move_all, moves)
        except BaseException:
            for key in files:
                await self.delete(key)
            raise

    @asynccontextmanager
    async def open(self, key: ObjectKey) -> AsyncIterator["LocalStoredFile"]:
        # it stays readable while open, even when deleted
        with translate_os_errors():
            try:
                file = await aiofiles.open(self._path(key), "rb")
            except FileNotFoundError:
                raise ObjectMissing from None
        try:
            yield LocalStoredFile(file, os.fstat(file.fileno()).st_size)
        finally:
            await file.close()

    async def exists(self, key: ObjectKey) -> bool:
        with translate_os_errors():
            return await asyncio.to_thread(self._path(key).is_file)

    async def delete(self, key: ObjectKey) -> bool:
        with translate_os_errors():
            return await asyncio.to_thread(_remove, self._path(key))

    async def list_untouched(self, older_than: timedelta) -> AsyncIterator[list[ObjectKey]]:
        found = self._walk(self._clock.now() - older_than)
        while batch := await asyncio.to_thread(lambda: list(islice(found, LIST_BATCH))):
            yield batch

    async def reachable(self) -> bool:
        return await asyncio.to_thread(os.access, self._objects, os.W_OK | os.X_OK)

    async def delete_stale_temp_files(self, older_than: timedelta) -> int:
        return await self.temp_dir.delete_stale(older_than)

    def _path(self, key: ObjectKey) -> Path:
        return self._objects / str(key)

    def _walk(self, before: datetime) -> Iterator[ObjectKey]:
        for path in self._objects.glob("*/*/*"):
            key = ObjectKey.parse(str(path.relative_to(self._objects)))
            if key and is_untouched_since(path, before.timestamp()):
                yield key


@dataclass(frozen=True, slots=True)
class LocalStoredFile:
    """An open file; every read is a hop to a thread."""

    file: AsyncBufferedReader
    size: int

    async def read(self, start: int, length: int) -> AsyncIterator[bytes]:
        await self.file.seek(start)
        while length and (chunk := await self.file.read(min(CHUNK_BYTES, length))):
            length -= len(chunk)
            yield chunk


def _move_all(moves: Mapping[Path, Path]) -> None:
    """Rename durably: every directory on the way is synced, the nearest ones first."""
    for directory in {target.parent for target in moves.values()}:
        _make_directory(directory)
    for source, target in moves.items():
        source.replace(target)
    for depth in range(3):
        for directory in {target.parents[depth] for target in moves.values()}:
            _sync(directory)


def _make_directory(directory: Path) -> None:
    """Create the directory, also when a deletion removes its empty parent meanwhile."""
    for attempt in range(_MKDIR_ATTEMPTS):
        try:
            directory.parent.mkdir(mode=0o700, exist_ok=True)
            directory.mkdir(mode=0o700, exist_ok=True)
        except (FileNotFoundError, FileExistsError):  # it went between being found and being seen
            if attempt == _MKDIR_ATTEMPTS - 1:
                raise
        else:
            return


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> bool:
    existed = path.is_file()
    path.unlink(missing_ok=True)
    with suppress(OSError):  # not empty: another variant, or another creative, lives there
        path.parent.rmdir()
        path.parent.parent.rmdir()
    return existed
