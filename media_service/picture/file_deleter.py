"""Deletes the files of deleted rows, however long the store is away."""

import asyncio

import structlog

from media_service.picture import repository
from media_service.picture.model import Picture
from media_service.storage.model import Storage
from shared.background import wait_for_event
from shared.db import Database
from shared.errors import ServiceUnavailable

POLL_SECONDS = 5.0
BATCH = 100
log = structlog.get_logger()


class FileDeleter:
    """Deletes queued files; any number of replicas may do so at once."""

    def __init__(self, database: Database, storage: Storage) -> None:
        self._database = database
        self._storage = storage
        self._notified = asyncio.Event()

    def notify(self) -> None:
        """Wake it up: files were queued just now."""
        self._notified.set()

    async def wait_and_delete(self) -> None:
        """Wait for a notification or `POLL_SECONDS`, then delete all files that are due.

        The claims of a replica that dies are due again seconds later.
        """
        # Unnotified for the files of another replica, or for those that failed before.
        await wait_for_event(self._notified, POLL_SECONDS)
        self._notified.clear()
        while claimed := await repository.claim_removals(self._database, BATCH):
            for removal in claimed:
                await self._delete_files(removal)

    async def _delete_files(self, removal: Picture) -> None:
        try:
            for key in removal.object_keys():
                await self._storage.delete(key)
        except (OSError, ServiceUnavailable) as failed:
            log.warning("file.removal_failed", picture_id=str(removal.id), error=repr(failed))
            return
        await repository.delete_removal(self._database, removal.id)
