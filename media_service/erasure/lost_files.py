"""Pictures whose files were lost outside of the service: an operator lists and deletes them."""

import sys
from collections.abc import Iterable
from uuid import UUID

from media_service.erasure import repository
from media_service.picture.reconcile import LostPicture, find_lost_pictures
from media_service.settings import MediaSettings
from media_service.storage.factory import open_storage
from media_service.storage.model import Storage
from shared.clock import SystemClock
from shared.db import Database, open_database
from shared.entropy import SystemEntropy


async def handle_lost_pictures(settings: MediaSettings, chosen: Iterable[UUID]) -> int:
    """List the pictures with lost files, or delete the `chosen` ones; return the exit code.

    Raises:
        ServiceUnavailable: the database or the store is away.
    """
    database_url = settings.media_database_url.get_secret_value()
    async with (
        open_storage(settings.storage_url, SystemClock(), SystemEntropy()) as storage,
        open_database(database_url) as database,
    ):
        ids = set(chosen)
        return await (_delete(database, storage, ids) if ids else _list(database, storage))


async def _list(database: Database, storage: Storage) -> int:
    code = 0
    async for lost in find_lost_pictures(database, storage):
        sys.stdout.write(f"{_describe(lost)}\n")
        code = 1
    return code


async def _delete(database: Database, storage: Storage, chosen: set[UUID]) -> int:
    """Delete the chosen pictures that lost a file; a picture with all files stays."""
    async for lost in find_lost_pictures(database, storage):
        if lost.picture.id in chosen:
            await repository.delete_picture(database, lost.picture.id)
            chosen.discard(lost.picture.id)
            sys.stdout.write(f"deleted: {_describe(lost)}\n")
    for picture_id in sorted(chosen):
        sys.stdout.write(f"kept: {picture_id} has lost no file, or there is no such picture\n")
    return 1 if chosen else 0


def _describe(lost: LostPicture) -> str:
    files = ", ".join(key.variant for key in lost.keys)
    return f"{lost.picture.id} of user {lost.picture.user_id} lacks {files}"
