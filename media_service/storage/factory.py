"""The store that `STORAGE_URL` names, open for as long as it is needed."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from media_service.storage.local import LocalStorage
from media_service.storage.model import Storage
from media_service.storage.temp_dir import Staging
from media_service.storage_url import Bucket, read_address
from shared.clock import Clock
from shared.entropy import Entropy

STAGING = "cheershare-staging"


@asynccontextmanager
async def open_storage(url: str, clock: Clock, entropy: Entropy) -> AsyncIterator[Storage]:
    """Open the store; files on their way to a bucket are staged in `TMPDIR`.

    Raises:
        PermissionError: the folder for them is another user's, who could exchange them.
    """
    address = read_address(url)
    if isinstance(address, Bucket):
        from media_service.storage.s3 import open_bucket  # noqa: PLC0415 - 40 MiB, when needed

        folder = Path(tempfile.gettempdir()) / STAGING
        staging = Staging(folder, clock, entropy)
        await staging.prepare()
        await asyncio.to_thread(_refuse_strangers, folder)
        async with open_bucket(address, staging, clock) as storage:
            yield storage
    else:
        local = LocalStorage(address.path, clock, entropy)
        await local.prepare()
        yield local


def _refuse_strangers(folder: Path) -> None:
    """In a `TMPDIR` that is everybody's, anybody could have made the folder before us."""
    if folder.lstat().st_uid != os.geteuid():  # a link's own owner counts
        raise PermissionError(f"{folder} is another user's: remove it or set TMPDIR")
