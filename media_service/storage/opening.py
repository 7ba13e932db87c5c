"""The store that `STORAGE_URL` names, open for as long as it is needed."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from media_service.address import Bucket, read_address
from media_service.storage.local import LocalStorage
from media_service.storage.model import Storage
from media_service.storage.staging import Staging
from shared.clock import Clock
from shared.entropy import Entropy

STAGING = "cheershare-staging"


@asynccontextmanager
async def open_storage(url: str, clock: Clock, entropy: Entropy) -> AsyncIterator[Storage]:
    """Open the store; files on their way to a bucket are staged in `TMPDIR`."""
    address = read_address(url)
    if isinstance(address, Bucket):
        from media_service.storage.s3 import open_bucket  # noqa: PLC0415 - 40 MiB, when needed

        staging = Staging(Path(tempfile.gettempdir()) / STAGING, clock, entropy)
        await staging.prepare()
        async with open_bucket(address, staging, clock) as storage:
            yield storage
    else:
        local = LocalStorage(address.path, clock, entropy)
        await local.prepare()
        yield local
