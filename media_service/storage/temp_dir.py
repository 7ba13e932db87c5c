"""The directory of temporary files."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from media_service.storage.model import TempFile
from media_service.storage.temp_file import LocalTempFile, translate_disk_full
from shared.clock import Clock
from shared.entropy import Entropy


class TempDir:
    """Creates temporary files; abandoned ones are removed by their age."""

    def __init__(self, directory: Path, clock: Clock, entropy: Entropy) -> None:
        """Touch nothing yet."""
        self._directory = directory
        self._clock = clock
        self._entropy = entropy

    async def prepare(self) -> None:
        """Create the directory, closed to other users."""
        await asyncio.to_thread(self._directory.mkdir, mode=0o700, parents=True, exist_ok=True)

    @asynccontextmanager
    async def create_temp_file(self) -> AsyncIterator[TempFile]:
        """Open a new temporary file; at the end, remove it and the files beside it."""
        temp_file = LocalTempFile(self._directory / self._entropy.bytes(16).hex())
        try:
            with translate_disk_full():
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
