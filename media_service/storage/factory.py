"""Opens the store that `STORAGE_URL` names."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from media_service.storage.local import LocalStorage
from media_service.storage.model import Storage
from media_service.storage.temp_file import TempDir
from media_service.storage_url import Bucket, parse_storage_url
from shared.clock import Clock
from shared.entropy import Entropy

TEMP_FOLDER = "cheershare-staging"


@asynccontextmanager
async def open_storage(url: str, clock: Clock, entropy: Entropy) -> AsyncIterator[Storage]:
    """Open the store; temporary files of a bucket are in `TMPDIR`.

    Raises:
        PermissionError: another user, who could replace the files, owns their folder.
    """
    place = parse_storage_url(url)
    if isinstance(place, Bucket):
        from media_service.storage.s3 import open_bucket  # noqa: PLC0415 - 40 MiB, when needed

        folder = Path(tempfile.gettempdir()) / TEMP_FOLDER
        temp_dir = TempDir(folder, clock, entropy)
        await temp_dir.prepare()
        await asyncio.to_thread(_require_own_folder, folder)
        async with open_bucket(place, temp_dir, clock) as storage:
            yield storage
    else:
        local = LocalStorage(place.path, clock, entropy)
        await local.prepare()
        yield local


def _require_own_folder(folder: Path) -> None:
    """Refuse a folder that another user created before us in a shared `TMPDIR`."""
    if folder.lstat().st_uid != os.geteuid():  # a link's own owner counts
        raise PermissionError(f"{folder} is another user's: remove it or set TMPDIR")
