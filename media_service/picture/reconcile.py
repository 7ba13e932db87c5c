"""Reconciling rows and files after a crash, in both directions."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog

from media_service.picture import repository
from media_service.picture.model import Picture
from media_service.picture.service import has_row, report_lost
from media_service.picture.usage_backfill import count_pictures
from media_service.storage.model import ObjectKey, Storage
from shared.db import Database

GRACE = timedelta(hours=1)
SWEEP_SECONDS = 3600
ROW_BATCH = 500
PACE_SECONDS = 0.02
_FIRST = UUID(int=0)
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep has found; `files_missing` counts files, of which one row has several."""

    staged_removed: int
    orphans_removed: int
    files_missing: int


@dataclass(frozen=True, slots=True)
class Lost:
    """A picture, and those of its files that the store does not have."""

    picture: Picture
    keys: tuple[ObjectKey, ...]


async def sweep(database: Database, storage: Storage, older_than: timedelta = GRACE) -> Swept:
    """Remove files that no row knows and staged files that nobody writes; report lost files.

    Why an age is enough, without a lock between this and the uploads of any replica: an upload
    touches its staged file with every chunk, and gives up after 10 s without one; then it waits
    for the decoder for at most 40 s, renames (which sets the ctime), and writes the row within
    the statement's time-out. So whatever has not been touched for an hour belongs to nobody who
    is still alive. A deletion removes the row first, so its left-over is nobody's either.

    The quota counts the smaller files of each picture from this walk on, where it does not yet.

    `older_than` zero is for a service that is not running. A row without its file is never
    removed here: something outside has lost it, and only a person can tell what to do
    (`python -m media_service lost`).
    """
    staged = await storage.discard_staged(older_than)
    orphans = await _remove_orphans(database, storage, older_than)
    missing = await _report_missing(database, storage)
    log.info("sweep.finished", staged=staged, orphans=orphans, missing=missing)
    return Swept(staged, orphans, missing)


async def _remove_orphans(database: Database, storage: Storage, older_than: timedelta) -> int:
    removed = 0
    async for keys in storage.list_older(older_than):
        async with database.connection() as connection:
            rows = await repository.among(connection, [key.picture_id for key in keys])
        known = {key for picture in rows for key in picture.files()}
        for key in (key for key in keys if key not in known):
            log.info("file.orphan_removed", key=str(key))
            removed += await storage.delete(key)
        await asyncio.sleep(PACE_SECONDS)
    return removed


async def _report_missing(database: Database, storage: Storage) -> int:
    missing = 0
    async for lost in find_lost(database, storage):
        for key in lost.keys:
            missing += await report_lost(database, lost.picture, key)
    return missing


async def find_lost(database: Database, storage: Storage) -> AsyncIterator[Lost]:
    """Yield each picture whose row is there and some of whose files are not."""
    last = _FIRST
    while batch := await _batch(database, last):
        last = batch[-1].id
        await count_pictures(database, storage, batch)
        for picture in batch:
            keys = tuple([key for key in picture.files() if not await storage.exists(key)])
            if keys and await has_row(database, picture):
                yield Lost(picture, keys)
        await asyncio.sleep(PACE_SECONDS)


async def _batch(database: Database, last: UUID) -> list[Picture]:
    async with database.connection() as connection:
        return await repository.batch_after(connection, last, ROW_BATCH)
