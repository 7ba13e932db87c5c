"""Statements that read `webhook_deliveries`."""

from collections.abc import Collection
from dataclasses import fields
from datetime import datetime
from typing import get_args
from uuid import UUID

from shared.db import Database, Executor
from shared.webhooks.delivery.model import TEST_EVENT, Delivery, DeliveryFilter, DeliveryStatus
from shared.webhooks.event import repository as events


def waiting_sql(condition: str) -> str:
    """Return the recursive CTE `waiting`: the endpoints with unfinished deliveries, and NULL.

    Each takes one step in an index, however many deliveries it has. `condition`: it is empty where
    this is false.
    """
    return f"""
RECURSIVE waiting AS (
    (SELECT endpoint_id FROM webhook_deliveries WHERE next_attempt_at IS NOT NULL AND {condition}
     ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT (SELECT later.endpoint_id FROM webhook_deliveries AS later
            WHERE later.next_attempt_at IS NOT NULL AND later.endpoint_id > waiting.endpoint_id
            ORDER BY later.endpoint_id LIMIT 1)
    FROM waiting WHERE endpoint_id IS NOT NULL
)"""


FIND_OLDEST_DUE = f"""
WITH {waiting_sql("true")}
SELECT least(({events.FIND_OLDEST_UNQUEUED}), (
    SELECT min(greatest(first.next_attempt_at, attempted_at))
    FROM waiting JOIN webhook_endpoints AS endpoint ON endpoint.id = endpoint_id
    CROSS JOIN LATERAL (
        SELECT next_attempt_at FROM webhook_deliveries AS delivery
        WHERE delivery.endpoint_id = endpoint.id AND next_attempt_at <= $1
          AND type <> '{TEST_EVENT}'
        ORDER BY next_attempt_at, id LIMIT 1
    ) AS first
    WHERE endpoint.status = 'enabled' AND failing_since IS NULL AND endpoint.id <> ALL ($2::uuid[])
))
"""
"""An endpoint that has attempts does not wait, however many deliveries it has.

Nor does one that fails, or is slow: its owner decides how long it waits.
"""

_FIELDS = ", ".join(field.name for field in fields(Delivery))
_PAGE = f"""
SELECT {_FIELDS} FROM webhook_deliveries JOIN (
    SELECT one.id FROM unnest($3::text[]) AS chosen (status) CROSS JOIN LATERAL (
        SELECT id FROM webhook_deliveries AS listed
        WHERE endpoint_id = $1 AND listed.status = chosen.status AND id < $2 {{condition}}
        ORDER BY id DESC LIMIT $4
    ) AS one ORDER BY one.id DESC LIMIT $4
) AS page USING (id)
ORDER BY id DESC
"""
PAGE = _PAGE.format(condition="")
PAGE_OF_TYPE = _PAGE.format(condition="AND type = $5")
"""Status by status, so that a list of few among many rows reads those few."""


async def find_oldest_due(
    database: Database, now: datetime, slow: Collection[UUID]
) -> datetime | None:
    """Return since when the first due delivery waits for an attempt, or an event for its queueing.

    `slow`: endpoints that do not count.
    """
    due_at: datetime | None = await database.fetchval(FIND_OLDEST_DUE, now, list(slow))
    return due_at


async def page(executor: Executor, endpoint_id: UUID, query: DeliveryFilter) -> list[Delivery]:
    """Return an endpoint's deliveries, the newest first."""
    statuses = [query.status] if query.status else list(get_args(DeliveryStatus))
    statement, chosen = (PAGE_OF_TYPE, [query.event]) if query.event else (PAGE, [])
    rows = await executor.fetch(
        statement, endpoint_id, query.before, statuses, query.limit, *chosen
    )
    return [Delivery(**row) for row in rows]
