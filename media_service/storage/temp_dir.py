"""The directory of files on their way in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from media_service.storage.model import StagedFile
from media_service.storage.temp_file import LocalStagedFile, full_disk_refused
from shared.clock import Clock
from shared.entropy import Entropy


class Staging:
    """Hands out new staged files; what is left behind is removed by its age."""

    def __init__(self, directory: Path, clock: Clock, entropy: Entropy) -> None:
        """Touch nothing yet."""
        self._directory = directory
        self._clock = clock
        self._entropy = entropy

    async def prepare(self) -> None:
        """Create the directory, closed to other users."""
        await asyncio.to_thread(self._directory.mkdir, mode=0o700, parents=True, exist_ok=True)

    @asynccontextmanager
    async def stage(self) -> AsyncIterator[StagedFile]:
        """Open a new staged file; remove it at the end, and what was written beside it."""
        staged = LocalStagedFile(self._directory / self._entropy.bytes(16).hex())
        try:
            with full_disk_refused():
                await staged.create()
            yield staged
        finally:
            await staged.discard()

    async def discard(self, older_than: timedelta) -> int:
        """Remove staged files untouched for that long; return how many."""
        before = (self._clock.now() - older_than).timestamp()
        return await asyncio.to_thread(self._discard, before)

    def _discard(self, before: float) -> int:
        stale = [path for path in self._directory.iterdir() if untouched_since(path, before)]
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)


def untouched_since(path: Path, before: float) -> bool:
    """Return whether file and name are older than that: a rename sets ctime and keeps mtime."""
    try:
        facts = path.stat()
    except FileNotFoundError:
        return False
    return max(facts.st_mtime, facts.st_ctime) <= before
