"""Every statement on `owners` and `counted_pictures`; each settles its race by the owner's lock."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from media_service.quota.model import LEASE, ActiveUpload, PictureUsage, QuotaLimits, Usage
from shared.db import Connection, Executor

BEGIN_UPLOAD = """
INSERT INTO owners AS o (user_id, day, uploads, under_way)
SELECT $1, $2, $3, jsonb_build_object($4::text, $5::float8) WHERE $6::bigint <= $7::bigint
ON CONFLICT (user_id) DO UPDATE SET
    day = greatest(o.day, excluded.day),
    uploads = excluded.uploads + CASE WHEN o.day >= excluded.day THEN o.uploads ELSE 0 END,
    under_way = excluded.under_way || (
        SELECT coalesce(jsonb_object_agg(key, value), '{}')
        FROM jsonb_each(o.under_way) WHERE value::float8 > $8
    )
WHERE o.deleted_at IS NULL
  AND ($6 = 0 OR o.bytes + $6 <= $7)
  AND ($3 = 0 OR o.day < excluded.day OR o.uploads < $9)
  AND (SELECT count(*) FROM jsonb_each(o.under_way) WHERE value::float8 > $8) < $10
RETURNING true
"""

COUNT_UPLOAD = """
INSERT INTO owners AS o (user_id, day, uploads) VALUES ($1, $2, 1)
ON CONFLICT (user_id) DO UPDATE SET
    day = greatest(o.day, excluded.day),
    uploads = 1 + CASE WHEN o.day >= excluded.day THEN o.uploads ELSE 0 END
WHERE o.deleted_at IS NULL AND (o.day < excluded.day OR o.uploads < $3)
RETURNING true
"""

RENEW_UPLOAD = """
UPDATE owners SET under_way = under_way || jsonb_build_object($2::text, $3::float8)
WHERE user_id = $1 AND under_way ? $2
"""

END_UPLOAD = "UPDATE owners SET under_way = under_way - $2 WHERE user_id = $1"

RESERVE_BYTES = """
WITH taken AS (
    INSERT INTO owners AS o (user_id, bytes) SELECT $1, $2 WHERE $2::bigint <= $3::bigint
    ON CONFLICT (user_id) DO UPDATE SET bytes = o.bytes + excluded.bytes
    WHERE o.deleted_at IS NULL AND (excluded.bytes = 0 OR o.bytes + excluded.bytes <= $3)
    RETURNING true
), counted AS (
    INSERT INTO counted_pictures (picture_id, bytes)
    SELECT $4::uuid, $2 FROM taken WHERE $4::uuid IS NOT NULL
)
SELECT true FROM taken
"""
"""The owner's row stays locked until the transaction ends: a deletion comes before or after."""

RECORD_PICTURE_BYTES = """
WITH creative AS (
    SELECT user_id, size FROM creatives WHERE id = $1 FOR KEY SHARE
), photo AS (
    SELECT user_id, size FROM photos WHERE id = $1 FOR KEY SHARE
), picture AS (
    SELECT user_id, size FROM creative UNION ALL SELECT user_id, size FROM photo
), counted AS (
    INSERT INTO counted_pictures (picture_id, bytes) SELECT $1, $2 FROM picture
    ON CONFLICT (picture_id) DO NOTHING
    RETURNING bytes
)
UPDATE owners AS o SET bytes = greatest(o.bytes + counted.bytes - picture.size, 0)
FROM counted, picture
WHERE o.user_id = picture.user_id
"""
"""The picture's row stays locked: a deletion comes before, or gives back what is counted here."""

READ_PICTURE_BYTES = """
SELECT picture_id, bytes FROM counted_pictures WHERE picture_id = ANY($1::uuid[])
"""

MARK_USER_DELETED = """
INSERT INTO owners AS o (user_id, deleted_at) VALUES ($1, $2)
ON CONFLICT (user_id) DO UPDATE SET deleted_at = coalesce(o.deleted_at, excluded.deleted_at)
"""

READ_USAGE = "SELECT bytes, day, uploads, deleted_at FROM owners WHERE user_id = $1"


async def begin_upload(
    executor: Executor, upload: ActiveUpload, quota: QuotaLimits, now: datetime
) -> bool:
    """Count the upload and record it as active; return False when a limit is hit."""
    begun = await executor.fetchval(
        BEGIN_UPLOAD,
        upload.user_id,
        now.date(),
        0 if upload.is_replay else 1,
        str(upload.id),
        (now + LEASE).timestamp(),
        upload.declared_bytes,
        quota.stored_bytes,
        now.timestamp(),
        quota.uploads_per_day,
        quota.concurrent_uploads,
    )
    return begun is not None


async def count_upload_without_file(
    executor: Executor, user_id: UUID, quota: QuotaLimits, now: datetime
) -> bool:
    """Count what is over at once as an upload of the day; return False when the user may not."""
    counted = await executor.fetchval(COUNT_UPLOAD, user_id, now.date(), quota.uploads_per_day)
    return counted is not None


async def renew_upload(executor: Executor, upload: ActiveUpload, now: datetime) -> None:
    """Extend the upload's lease."""
    await executor.execute(RENEW_UPLOAD, upload.user_id, str(upload.id), (now + LEASE).timestamp())


async def end_upload(executor: Executor, upload: ActiveUpload) -> None:
    """Remove the upload from the active ones."""
    await executor.execute(END_UPLOAD, upload.user_id, str(upload.id))


async def reserve_bytes(
    connection: Connection, user_id: UUID, picture: PictureUsage | None, quota: int
) -> bool:
    """Count the picture's bytes; return False when they do not fit or the user is deleted.

    Called in the transaction that stores the picture, whose deletion gives its bytes back. None,
    no picture, always fits.
    """
    size, picture_id = (picture.stored_bytes, picture.id) if picture else (0, None)
    return await connection.fetchval(RESERVE_BYTES, user_id, size, quota, picture_id) is not None


async def record_picture_bytes(executor: Executor, picture_id: UUID, stored_bytes: int) -> None:
    """Count all bytes of a picture of which only the original was counted; else do nothing."""
    await executor.execute(RECORD_PICTURE_BYTES, picture_id, stored_bytes)


async def read_picture_bytes(executor: Executor, ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return the counted bytes of each picture; without an entry, only its original is counted."""
    rows = await executor.fetch(READ_PICTURE_BYTES, ids)
    return {row["picture_id"]: row["bytes"] for row in rows}


async def mark_user_deleted(executor: Executor, user_id: UUID, now: datetime) -> None:
    """Refuse every addition for this user from now on.

    Call it in a transaction of its own, before the user's rows are deleted. Then every addition has
    committed, and no deletion, which locks the row last, is waited for.
    """
    await executor.execute(MARK_USER_DELETED, user_id, now)


async def read_usage(executor: Executor, user_id: UUID) -> Usage | None:
    """Return the user's usage, None when nothing was ever counted."""
    row = await executor.fetchrow(READ_USAGE, user_id)
    if row is None:
        return None
    deleted = row["deleted_at"] is not None
    return Usage(row["bytes"], row["day"], row["uploads"], deleted)
