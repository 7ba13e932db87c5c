"""Reconciling rows and files after a crash, in both directions."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog

from media_service.picture import repository
from media_service.picture.model import Picture
from media_service.picture.service import log_lost_file, picture_exists
from media_service.quota.repository import read_picture_bytes, record_picture_bytes
from media_service.storage.errors import ObjectMissing
from media_service.storage.model import ObjectKey, Storage
from shared.db import Database

MIN_AGE = timedelta(hours=1)
RECONCILE_SECONDS = 3600
ROW_BATCH = 500
BATCH_PAUSE_SECONDS = 0.02
_LOWEST_ID = UUID(int=0)
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ReconcileReport:
    """The counts of a run; `files_missing` counts files, of which one row has several."""

    temp_files_removed: int
    orphans_removed: int
    files_missing: int


@dataclass(frozen=True, slots=True)
class LostPicture:
    """A picture, and those of its files that the store does not have."""

    picture: Picture
    keys: tuple[ObjectKey, ...]


async def reconcile(
    database: Database, storage: Storage, older_than: timedelta = MIN_AGE
) -> ReconcileReport:
    """Remove files without a row and abandoned temporary files; log rows without files.

    An age is enough, without a lock against the uploads of any replica. An upload touches its
    temporary file with every chunk, and gives up after 30 s without one. Then it waits for the
    decoder for at most 40 s, renames (which sets the ctime), and writes the row within the
    statement's time-out. So no running upload owns a file that was not touched for an hour. A
    deletion removes the row first, so no row owns its files either.

    The quota counts the smaller files of each older picture from the first run on.

    `older_than` zero is for a service that is not running. A row without its file is never
    removed here: something outside has lost it, and only a person can tell what to do
    (`python -m media_service lost`).
    """
    temp_files = await storage.delete_stale_temp_files(older_than)
    orphans = await _delete_orphans(database, storage, older_than)
    missing = await _log_lost_files(database, storage)
    log.info("files.reconciled", temp_files=temp_files, orphans=orphans, missing=missing)
    return ReconcileReport(temp_files, orphans, missing)


async def _delete_orphans(database: Database, storage: Storage, older_than: timedelta) -> int:
    removed = 0
    async for keys in storage.list_untouched(older_than):
        rows = await repository.find_many(database, [key.picture_id for key in keys])
        known = {key for picture in rows for key in picture.object_keys()}
        for key in (key for key in keys if key not in known):
            log.info("file.orphan_removed", key=str(key))
            removed += await storage.delete(key)
        await asyncio.sleep(BATCH_PAUSE_SECONDS)
    return removed


async def _log_lost_files(database: Database, storage: Storage) -> int:
    missing = 0
    async for lost in find_lost_pictures(database, storage):
        for key in lost.keys:
            missing += await log_lost_file(database, lost.picture, key)
    return missing


async def find_lost_pictures(database: Database, storage: Storage) -> AsyncIterator[LostPicture]:
    """Yield each picture whose row is there and some of whose files are not."""
    last = _LOWEST_ID
    while batch := await repository.page_after(database, last, ROW_BATCH):
        last = batch[-1].id
        await _backfill_usage(database, storage, batch)
        for picture in batch:
            keys = tuple([key for key in picture.object_keys() if not await storage.exists(key)])
            if keys and await picture_exists(database, picture):
                yield LostPicture(picture, keys)
        await asyncio.sleep(BATCH_PAUSE_SECONDS)


async def _backfill_usage(
    database: Database, storage: Storage, pictures: Sequence[Picture]
) -> None:
    """Count all bytes of the pictures that a release before migration 0006 stored.

    Replicas may run it at once: a picture is counted once. A picture that lost a file is skipped,
    so that a wrongly mounted store does not empty every quota.
    """
    counted = await read_picture_bytes(database, [picture.id for picture in pictures])
    uncounted = [picture for picture in pictures if picture.id not in counted]
    for picture in uncounted:
        stored_bytes = await _measure(storage, picture)
        if stored_bytes is None:
            continue
        await record_picture_bytes(database, picture.id, stored_bytes)
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
