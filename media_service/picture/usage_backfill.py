"""Counts pictures of which the quota knows only the originals."""

from collections.abc import Sequence

import structlog

from media_service.picture.model import Picture
from media_service.quota.repository import read_picture_bytes, record_picture_bytes
from media_service.storage.errors import ObjectMissing
from media_service.storage.model import Storage
from shared.db import Database

log = structlog.get_logger()


async def backfill_usage(database: Database, storage: Storage, pictures: Sequence[Picture]) -> None:
    """Count all bytes of the pictures that a release before migration 0006 stored.

    Replicas may run it at once: a picture is counted once. A picture that lost a file is skipped,
    so that a wrongly mounted store does not empty every quota.
    """
    async with database.connection() as connection:
        counted = await read_picture_bytes(connection, [picture.id for picture in pictures])
    uncounted = [picture for picture in pictures if picture.id not in counted]
    for picture in uncounted:
        stored_bytes = await _measure(storage, picture)
        if stored_bytes is None:
            continue
        async with database.connection() as connection:
            await record_picture_bytes(connection, picture.id, stored_bytes)
        log.info("picture.counted", picture_id=str(picture.id), bytes=stored_bytes)


async def _measure(storage: Storage, picture: Picture) -> int | None:
    """Return the bytes of all the picture's files; None when one is lost."""
    total = 0
    for key in picture.object_keys():
        try:
            async with storage.open(key) as file:
                total += file.size
        except ObjectMissing:
            return None
    return total
