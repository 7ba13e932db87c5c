"""Letting go of files whose row is gone, however long the store is away."""

import asyncio

import structlog

from media_service.picture import repository
from media_service.picture.model import Picture
from media_service.storage.model import Storage
from shared.db import Database
from shared.errors import ServiceUnavailable

POLL_SECONDS = 5.0
BATCH = 100
log = structlog.get_logger()


class FileDeleter:
    """Removes what the database has noted; any number of replicas may do so at once."""

    def __init__(self, database: Database, storage: Storage) -> None:
        """Remove nothing yet."""
        self._database = database
        self._storage = storage
        self._noted = asyncio.Event()

    def notify(self) -> None:
        """Say that something was noted just now."""
        self._noted.set()

    async def run_once(self) -> None:
        """Wait until something may be noted, then remove all that is due.

        A replica that dies in between leaves its claims to be due again, seconds later.
        """
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._noted.wait()
        except TimeoutError:
            pass  # another replica's, or one that failed before
        self._noted.clear()
        while claimed := await self._claim():
            for removal in claimed:
                await self._remove(removal)

    async def _claim(self) -> list[Picture]:
        async with self._database.connection() as connection:
            return await repository.claim_removals(connection, BATCH)

    async def _remove(self, removal: Picture) -> None:
        try:
            for key in removal.files():
                await self._storage.delete(key)
        except (OSError, ServiceUnavailable) as failed:
            log.warning("file.removal_failed", picture_id=str(removal.id), error=repr(failed))
            return
        async with self._database.connection() as connection:
            await repository.delete_removal(connection, removal.id)
