"""Every statement on `events`."""

from dataclasses import astuple
from datetime import datetime, timedelta

from shared.db import Connection, Database
from shared.webhooks.event.model import Event

RETENTION = timedelta(days=30)

EXPIRED_BATCH = 1000

FIND_OLDEST_UNQUEUED = """
SELECT occurred_at FROM events WHERE NOT queued ORDER BY position LIMIT 1
"""

DELETE_EXPIRED = """
DELETE FROM events WHERE id IN (SELECT id FROM events WHERE occurred_at <= $1 LIMIT $2)
"""

DELETE_BATCH = """
DELETE FROM events WHERE id IN (SELECT id FROM events WHERE user_id = $1 LIMIT $2)
"""


def insert_events_sql(rows: str) -> str:
    """Return the end of a statement that writes events.

    `rows`: VALUES or a SELECT of their id, user, type, time and data, in their order.
    """
    return f"INSERT INTO events (id, user_id, type, occurred_at, data) {rows}"


def claim_sql(condition: str) -> str:
    """Return the body of a CTE that claims the first `$1` events whose deliveries are not queued.

    It returns them in no order. `condition`: nothing is claimed where it is false.
    """
    return f"""
UPDATE events SET queued = true WHERE id = ANY (ARRAY(
    SELECT id FROM events WHERE NOT queued AND {condition}
    ORDER BY position LIMIT $1 FOR UPDATE SKIP LOCKED
))
RETURNING *
"""


INSERT = insert_events_sql("VALUES ($1, $2, $3, $4, $5)")


async def insert(connection: Connection, event: Event) -> None:
    """Write an event in the caller's transaction."""
    await connection.execute(INSERT, *astuple(event))


async def delete_expired(database: Database, now: datetime) -> None:
    """Delete the events that are older than `RETENTION`; a midnight may have had very many."""
    full = f"DELETE {EXPIRED_BATCH}"
    while await database.execute(DELETE_EXPIRED, now - RETENTION, EXPIRED_BATCH) == full:
        pass
