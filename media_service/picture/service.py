"""Reading what a picture has in the store."""

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
        NotFound: the picture was removed just now, or the file is lost; the log tells which.
    """
    key = picture.key(variant)
    try:
        async with storage.open(key) as file:
            yield file
    except ObjectMissing:
        await log_lost_file(database, picture, key)
        raise NotFound from None


async def log_lost_file(database: Database, picture: Picture, key: ObjectKey) -> bool:
    """Log a file that is missing though its row is there; return whether it is."""
    found = await picture_exists(database, picture)
    if found:
        log.error("file.missing", key=str(key), picture_id=str(picture.id))
    return found


async def picture_exists(database: Database, picture: Picture) -> bool:
    """Tell whether a picture that was read before is there; removed since, its files go too."""
    async with database.connection() as connection:
        return bool(await repository.find_many(connection, [picture.id]))
