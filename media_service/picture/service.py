"""Reads the files of a picture."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from media_service.picture import repository
from media_service.picture.model import Picture
from media_service.storage.errors import ObjectMissing
from media_service.storage.model import ObjectKey, Storage, StoredFile
from shared.db import Database
from shared.errors import NotFound

log = structlog.get_logger()


@asynccontextmanager
async def open_file(
    database: Database, storage: Storage, picture: Picture, variant: str
) -> AsyncIterator[StoredFile]:
    """Open one of the picture's files for reading.

    Raises:
        NotFound: the picture was deleted just now, or the file is lost; the log says which.
    """
    key = picture.object_key(variant)
    try:
        async with storage.open(key) as file:
            yield file
    except ObjectMissing:
        await log_lost_file(database, picture, key)
        raise NotFound from None


async def log_lost_file(database: Database, picture: Picture, key: ObjectKey) -> bool:
    """Log a missing file whose row exists; return whether the row exists."""
    found = await picture_exists(database, picture)
    if found:
        log.error("file.missing", key=str(key), picture_id=str(picture.id))
    return found


async def picture_exists(database: Database, picture: Picture) -> bool:
    """Return whether the picture's row still exists; its files are deleted after the row."""
    return bool(await repository.find_many(database, [picture.id]))
