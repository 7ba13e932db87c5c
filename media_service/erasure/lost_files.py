"""Pictures whose files something outside has lost: an operator lists them, and ends them by id."""

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


async def handle_lost_pictures(settings: MediaSettings, wanted: Iterable[UUID]) -> int:
    """List the pictures with lost files, or delete those of `wanted`; return the exit code.

    Raises:
        ServiceUnavailable: the database or the store is away.
    """
    database_url = settings.media_database_url.get_secret_value()
    async with (
        open_storage(settings.storage_url, SystemClock(), SystemEntropy()) as storage,
        open_database(database_url) as database,
    ):
        chosen = set(wanted)
        return await (_delete(database, storage, chosen) if chosen else _list(database, storage))


async def _list(database: Database, storage: Storage) -> int:
    code = 0
    async for lost in find_lost_pictures(database, storage):
        sys.stdout.write(f"{_described(lost)}\n")
        code = 1
    return code


async def _delete(database: Database, storage: Storage, wanted: set[UUID]) -> int:
    """Delete what is wanted and lost; a picture whose files are all there stays."""
    async for lost in find_lost_pictures(database, storage):
        if lost.picture.id in wanted:
            await repository.delete_picture(database, lost.picture.id)
            wanted.discard(lost.picture.id)
            sys.stdout.write(f"deleted: {_described(lost)}\n")
    for picture_id in sorted(wanted):
        sys.stdout.write(f"kept: {picture_id} has lost no file, or there is no such picture\n")
    return 1 if wanted else 0


def _described(lost: LostPicture) -> str:
    files = ", ".join(key.variant for key in lost.keys)
    return f"{lost.picture.id} of user {lost.picture.user_id} lacks {files}"
