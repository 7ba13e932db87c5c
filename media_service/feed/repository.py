"""Every statement on `feeds`, and the creatives that a feed shows."""

from datetime import datetime, timedelta
from uuid import UUID

from media_service.creative.model import Status
from media_service.feed.model import Feed, FeedEvent
from shared.db import Connection, Executor

MAX_UPCOMING, MAX_PAST = 400, 100
CANCELLED_RETENTION = timedelta(days=30)
"""A calendar that is not read for longer keeps showing what was cancelled meanwhile."""

READ_RESOLUTION = timedelta(minutes=1)

REPLACE = """
INSERT INTO feeds (user_id, token_hash, created_at) VALUES ($1, $2, $3)
ON CONFLICT (user_id) DO UPDATE
SET token_hash = excluded.token_hash, created_at = excluded.created_at, last_read_at = NULL
"""

FIND = "SELECT created_at, last_read_at FROM feeds WHERE user_id = $1"

RECORD_READ = """
WITH recorded AS (
    UPDATE feeds SET last_read_at = $2
    WHERE token_hash = $1 AND (last_read_at IS NULL OR last_read_at <= $3)
)
SELECT user_id FROM feeds WHERE token_hash = $1
"""

_EVENTS = """
SELECT id, coalesce(title, file_name) AS title, due_at, due_day, timezone, status, created_at,
       updated_at, version
FROM creatives LEFT JOIN due_days ON creative_id = id
WHERE user_id = $1 AND due_at {0} $2 AND (status <> 'cancelled' OR updated_at > $3)
ORDER BY due_at {1}, id {1} LIMIT {2}
"""
LIST_EVENTS = f"""
SELECT * FROM ({_EVENTS.format(">=", "ASC", MAX_UPCOMING)}) upcoming
UNION ALL
SELECT * FROM ({_EVENTS.format("<", "DESC", MAX_PAST)}) past
ORDER BY due_at, id
"""

DELETE = "DELETE FROM feeds WHERE user_id = $1 RETURNING true"

DELETE_BATCH = """
DELETE FROM feeds WHERE user_id IN (SELECT user_id FROM feeds WHERE user_id = $1 LIMIT $2)
"""


async def replace(connection: Connection, user_id: UUID, token_hash: bytes, now: datetime) -> None:
    """Write the user's feed in place of the one before."""
    await connection.execute(REPLACE, user_id, token_hash, now)


async def find(executor: Executor, user_id: UUID) -> Feed | None:
    """Return the user's feed."""
    row = await executor.fetchrow(FIND, user_id)
    return Feed(**row) if row else None


async def record_read(executor: Executor, token_hash: bytes, now: datetime) -> UUID | None:
    """Return the user of the feed; note that it is read, at most once a minute."""
    user_id: UUID | None = await executor.fetchval(
        RECORD_READ, token_hash, now, now - READ_RESOLUTION
    )
    return user_id


async def list_events(executor: Executor, user_id: UUID, now: datetime) -> list[FeedEvent]:
    """Return the user's next `MAX_UPCOMING` and last `MAX_PAST` creatives, by due time and id.

    A cancelled one is left out `CANCELLED_RETENTION` after its last change.
    """
    rows = await executor.fetch(LIST_EVENTS, user_id, now, now - CANCELLED_RETENTION)
    return [FeedEvent(**{**row, "status": Status(row["status"])}) for row in rows]


async def delete(executor: Executor, user_id: UUID) -> bool:
    """Delete the user's feed; return False when there is none."""
    return await executor.fetchval(DELETE, user_id) is not None
