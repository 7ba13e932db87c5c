"""The statements of the publisher."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from media_service.creative.repository import publish_sql
from media_service.creative.response import creative_json
from shared.clock import rfc3339_sql
from shared.db import Database
from shared.webhooks.event.repository import insert_events_sql

RefusedError = asyncpg.PostgresError
"""PostgreSQL refuses a statement, as for a row in it; unlike `ServiceUnavailable`."""

LATE_SECONDS = 60
LOCK = 7_081_530_264  # any constant; the publishers of one database take this lock in turn

_EXPECTED_AT = "greatest(due_at, updated_at)"
"""When its user expects a creative to be published: one that is for today is due since midnight."""

FIND_NEXT_DUE = f"""
SELECT due_at, {_EXPECTED_AT} AS expected_at FROM creatives
WHERE status = 'scheduled' ORDER BY due_at, id LIMIT 1
"""

_EVENT_DATA = creative_json(
    published_at=rfc3339_sql("$1"),
    due_at=rfc3339_sql("due_at"),
    late=f"$1 - expected_at > interval '{LATE_SECONDS} seconds'",
)
_EVENTS = f"""
SELECT ($2::uuid[])[row_number() OVER (ORDER BY due_at, id)], user_id, 'creative.due', $1,
       {_EVENT_DATA}
FROM published ORDER BY due_at, id
"""
FIND_DUE = """
SELECT id FROM creatives WHERE status = 'scheduled' AND due_at <= $1 AND id <> ALL ($2::uuid[])
ORDER BY due_at, id LIMIT $3
"""

PUBLISH_DUE = f"""
WITH due AS (
    SELECT id AS creative_id, {_EXPECTED_AT} AS expected_at FROM creatives
    WHERE status = 'scheduled' AND due_at <= $1 AND (SELECT pg_try_advisory_xact_lock({LOCK}))
      AND id <> ALL ($3::uuid[]) AND ($4::uuid IS NULL OR id = $4)
    ORDER BY due_at, id LIMIT cardinality($2::uuid[]) FOR UPDATE SKIP LOCKED
), published AS ({publish_sql("due")}), recorded AS (
    INSERT INTO publications (creative_id, published_at) SELECT id, $1 FROM published
    ON CONFLICT (creative_id) DO UPDATE SET published_at = excluded.published_at
)
{insert_events_sql(_EVENTS)}
"""
"""One statement claims, publishes and writes the events, so it happens whole or not at all.

The lock keeps the order among replicas: it is held to the commit, and the events' positions are
drawn under it. A replica that does not get the lock, and a row that a user is changing, are left
for the next round.
"""


class NextDue(NamedTuple):
    """When the next creative falls due, or fell; `expected_at` is later if it changed since."""

    due_at: datetime
    expected_at: datetime


async def find_next_due(database: Database) -> NextDue | None:
    """Return the times of the first creative that is still to be published."""
    row = await database.fetchrow(FIND_NEXT_DUE)
    return NextDue(**row) if row else None


async def find_due(
    database: Database, now: datetime, skipped: Collection[UUID], limit: int
) -> list[UUID]:
    """Return the first creatives that are due, in order of due time, without the skipped ones."""
    return [row["id"] for row in await database.fetch(FIND_DUE, now, list(skipped), limit)]


async def publish_due(
    database: Database,
    now: datetime,
    event_ids: Sequence[UUID],
    skipped: Collection[UUID] = (),
    only: UUID | None = None,
) -> int:
    """Publish the first creatives that are due, at most one for each event id; return how many.

    None of `skipped`, and no other than `only` if that is given.
    """
    status = await database.execute(PUBLISH_DUE, now, event_ids, list(skipped), only)
    return int(status.rpartition(" ")[2])
