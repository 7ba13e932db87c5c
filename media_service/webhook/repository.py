"""The statements that settle a creative by the deliveries of its event."""

from datetime import datetime
from uuid import UUID

from media_service.creative.repository import settle_sql
from media_service.creative.response import creative_json
from shared.db import Connection
from shared.webhooks.event.repository import insert_events_sql

_SETTLED_EVENT = f"""
SELECT $4::uuid, user_id,
       CASE status WHEN 'failed' THEN 'creative.failed' ELSE 'creative.updated' END,
       $3::timestamptz, {creative_json()}
FROM settled AS creatives
"""

LOCK_CREATIVE = """
SELECT id FROM creatives WHERE id = (SELECT (data ->> 'id')::uuid FROM events WHERE id = $1)
FOR NO KEY UPDATE
"""

SETTLE_CREATIVE = f"""
WITH verdict AS (
    SELECT bool_and(status = 'dead') AS gave_up, bool_or(status = 'delivered') AS delivered
    FROM webhook_deliveries WHERE event_id = $2
), settled AS ({settle_sql("verdict")})
{insert_events_sql(_SETTLED_EVENT)}
"""
"""A statement of its own, after the lock, so that it sees the results of all other deliveries."""


async def lock_creative(connection: Connection, event_id: UUID) -> UUID | None:
    """Lock the creative of an event to the end of the transaction; None if it was deleted."""
    creative_id: UUID | None = await connection.fetchval(LOCK_CREATIVE, event_id)
    return creative_id


async def settle_creative(
    connection: Connection, ids: tuple[UUID, UUID, UUID], now: datetime
) -> None:
    """Make a creative failed once all deliveries are dead, or published again once one succeeded.

    `ids`: of the creative that the transaction has locked, of its event, and of a new event.
    """
    creative_id, event_id, new_event_id = ids
    await connection.execute(SETTLE_CREATIVE, creative_id, event_id, now, new_event_id)
