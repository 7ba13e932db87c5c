"""Every statement that writes `webhook_deliveries`."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from datetime import datetime, timedelta
from uuid import UUID

from shared.clock import milliseconds
from shared.db import Connection, Database, Executor
from shared.webhooks.delivery.model import (
    MAX_LISTED,
    MAX_UNFINISHED,
    MAX_WAITING_TESTS,
    RETENTION,
    TEST_EVENT,
    ClaimedDelivery,
    ClaimedEvent,
    DeliveryResult,
    DueQuery,
    NewDelivery,
)
from shared.webhooks.delivery.overview.repository import waiting_sql
from shared.webhooks.endpoint.model import ALL_EVENTS
from shared.webhooks.endpoint.repository import record_attempt
from shared.webhooks.event import repository as events
from shared.webhooks.model import Attempt, WebhookMessage

BATCH = 1000
"""How many rows one statement deletes, or queues again."""

LOCK = 7_081_530_265  # any constant; the processes that queue deliveries take this lock in turn
_HAS_LOCK = f"(SELECT pg_try_advisory_xact_lock({LOCK}))"

CLAIM_EVENTS = f"""
WITH claimed AS ({events.claim_sql(_HAS_LOCK)})
SELECT id, type, occurred_at, data, ARRAY(
    SELECT endpoint.id FROM webhook_endpoints AS endpoint
    WHERE endpoint.user_id = claimed.user_id AND endpoint.status = 'enabled'
      AND endpoint.created_at <= claimed.occurred_at
      AND endpoint.events && ARRAY['{ALL_EVENTS}', claimed.type]
    ORDER BY endpoint.id
) AS endpoint_ids
FROM claimed ORDER BY position
"""
"""The lock is held to the commit, so deliveries are queued in the order of the events."""

INSERT_MANY = """
WITH unfinished AS (
    SELECT endpoint_id, (SELECT count(*) FROM (
        SELECT FROM webhook_deliveries AS one
        WHERE one.endpoint_id = wanted.endpoint_id AND next_attempt_at IS NOT NULL LIMIT $8
    ) AS counted) FROM (SELECT DISTINCT unnest($4::uuid[])) AS wanted (endpoint_id)
), queued AS (
    SELECT new.*, coalesce(count, 0) + row_number() OVER (PARTITION BY endpoint_id ORDER BY id) > $8
                  AS refused
    FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[])
        AS new (id, endpoint_id, event_id, type, body) LEFT JOIN unfinished USING (endpoint_id)
)
INSERT INTO webhook_deliveries (id, endpoint_id, event_id, type, body, next_attempt_at, created_at,
                                status, attempts)
SELECT queued.id, endpoint_id, event_id, type, body, CASE WHEN NOT refused THEN $2::timestamptz END,
       $1, CASE WHEN refused THEN 'dead' ELSE 'pending' END,
       CASE WHEN refused THEN $9::jsonb ELSE '[]' END
FROM queued JOIN webhook_endpoints AS endpoint ON endpoint.id = endpoint_id
FOR KEY SHARE OF endpoint
"""
"""Without those to an endpoint that was deleted meanwhile. It counts no more than decides."""

INSERT = f"""
INSERT INTO webhook_deliveries (id, endpoint_id, event_id, type, body, next_attempt_at, created_at)
SELECT $1, id, $4, $5, $6, $7, $7 FROM webhook_endpoints WHERE id = $2 AND user_id = $3 AND (
    $5 <> '{TEST_EVENT}' OR $8 > (
        SELECT count(*) FROM webhook_deliveries
        WHERE endpoint_id = $2 AND type = '{TEST_EVENT}' AND status = 'pending'
    )
)
RETURNING true
"""

_UNLEASED = "(leased_until IS NULL OR leased_until <= clock_timestamp())"
_ANY_DUE = """$8::uuid[] IS NULL
     AND EXISTS (SELECT FROM webhook_deliveries WHERE next_attempt_at <= $1)"""

CLAIM = f"""
WITH {waiting_sql(_ANY_DUE)}, due AS (
    SELECT first.*, user_id
    FROM (TABLE waiting UNION ALL SELECT unnest($8::uuid[])) AS candidate
    JOIN webhook_endpoints AS endpoint ON endpoint.id = candidate.endpoint_id
    LEFT JOIN unnest($3::uuid[], $4::int[]) AS known (id, places) ON known.id = endpoint.id
    CROSS JOIN LATERAL (
        SELECT id, next_attempt_at, row_number() OVER (ORDER BY next_attempt_at, id) AS place
        FROM webhook_deliveries AS delivery
        WHERE delivery.endpoint_id = endpoint.id AND next_attempt_at <= $1 AND {_UNLEASED}
        ORDER BY next_attempt_at, id LIMIT coalesce(known.places, 1)
    ) AS first
), fair AS (
    SELECT due.id, coalesce(owner.places, $7) AS places,
           row_number() OVER (PARTITION BY user_id ORDER BY place, next_attempt_at, due.id) AS turn
    FROM due LEFT JOIN unnest($5::uuid[], $6::int[]) AS owner (id, places) ON owner.id = user_id
), claimed AS (
    SELECT id FROM webhook_deliveries JOIN fair USING (id)
    WHERE turn <= places AND next_attempt_at <= $1 AND {_UNLEASED}
    ORDER BY turn, next_attempt_at LIMIT $2 FOR UPDATE OF webhook_deliveries SKIP LOCKED
)
UPDATE webhook_deliveries AS delivery
SET status = 'pending', tries = tries + 1, leased_until = clock_timestamp() + $9::interval
FROM claimed, webhook_endpoints AS endpoint
WHERE delivery.id = claimed.id AND endpoint.id = delivery.endpoint_id
RETURNING delivery.id, event_id, type, body, tries AS attempt_number, redelivered, leased_until,
          endpoint_id, user_id, endpoint.status AS endpoint_status, url, secret, previous_secret,
          rotated_at
"""
"""Owners take turns, and so do the endpoints of each. See `DueQuery` for the places."""

FINISH = f"""
UPDATE webhook_deliveries
SET status = $3, next_attempt_at = $5, leased_until = NULL,
    attempts = CASE WHEN jsonb_array_length(attempts) < {MAX_LISTED} THEN attempts
                    ELSE attempts - 0 END || $4::jsonb
WHERE id = $1 AND leased_until = $2
RETURNING true
"""
"""A process whose lease is over changes nothing, since another one makes an attempt."""

RELEASE = """
UPDATE webhook_deliveries AS delivery SET leased_until = NULL, tries = greatest(tries - 1, 0)
FROM unnest($1::uuid[], $2::timestamptz[]) AS lease (id, until)
WHERE delivery.id = lease.id AND leased_until = lease.until
"""

_REDELIVER = """
UPDATE webhook_deliveries AS delivery
SET status = 'pending', tries = 0, redelivered = true,
    next_attempt_at = CASE delivery.status WHEN 'pending' THEN next_attempt_at ELSE $3 END
FROM webhook_endpoints AS endpoint
WHERE endpoint_id = $1 AND endpoint.id = $1 AND user_id = $2 AND endpoint.status = 'enabled'
"""
"""What is pending keeps its time, since an attempt may be under way."""

REDELIVER = f"{_REDELIVER} AND delivery.id = $4 RETURNING true"

REDELIVER_FAILED = f"""
WITH batch AS (
    SELECT id FROM webhook_deliveries
    WHERE endpoint_id = $1 AND status IN ('failed', 'dead') AND created_at >= $4 AND id > $5
      AND type <> '{TEST_EVENT}'
    ORDER BY id LIMIT $6
)
{_REDELIVER} AND delivery.status IN ('failed', 'dead') AND delivery.id IN (TABLE batch)
RETURNING delivery.id
"""

DELETE_EXPIRED = f"""
DELETE FROM webhook_deliveries WHERE id IN (
    SELECT id FROM webhook_deliveries WHERE created_at <= $1
    ORDER BY created_at LIMIT {BATCH}
)
"""

DELETE_OF_ENDPOINT = """
DELETE FROM webhook_deliveries
WHERE id IN (SELECT id FROM webhook_deliveries WHERE endpoint_id = $1 LIMIT $2)
"""

DELETE_BATCH = """
DELETE FROM webhook_deliveries WHERE id = ANY (ARRAY(
    SELECT delivery.id FROM webhook_endpoints AS endpoint CROSS JOIN LATERAL (
        SELECT id FROM webhook_deliveries WHERE endpoint_id = endpoint.id LIMIT $2
    ) AS delivery
    WHERE user_id = $1 LIMIT $2
))
"""


async def insert(
    executor: Executor,
    target: tuple[UUID, UUID],
    delivery_id: UUID,
    event: tuple[str, WebhookMessage],
    now: datetime,
) -> bool:
    """Queue a message for an endpoint of an owner; return False when there is no such endpoint.

    Nor is a test queued while `MAX_WAITING_TESTS` wait. `target`: the ids of endpoint and owner.
    `event`: its type and message.
    """
    event_type, message = event
    values = (UUID(message.id), event_type, message.body.decode(), now, MAX_WAITING_TESTS)
    return await executor.fetchval(INSERT, delivery_id, *target, *values) is not None


async def claim_events(connection: Connection, limit: int) -> list[ClaimedEvent]:
    """Claim the first events whose deliveries are not queued, for the caller's transaction.

    None while another process does so.
    """
    rows = await connection.fetch(CLAIM_EVENTS, limit)
    return [ClaimedEvent(**row) for row in rows]


async def insert_many(
    connection: Connection, queued: Sequence[NewDelivery], now: datetime, first_attempt_at: datetime
) -> None:
    """Queue deliveries; those to an endpoint that has `MAX_UNFINISHED` are dead."""
    columns = map(list, zip(*(astuple(one) for one in queued), strict=True))
    refused = json.dumps([Attempt(now, 0, error="queue_full").to_json()])
    bounds = (MAX_UNFINISHED, refused)
    await connection.execute(INSERT_MANY, now, first_attempt_at, *columns, *bounds)


async def claim(
    database: Database, now: datetime, lease: timedelta, query: DueQuery
) -> list[ClaimedDelivery]:
    """Lease deliveries that are due."""
    columns = [
        list(part)
        for places in (query.places, query.owner_places)
        for part in (places, places.values())
    ]
    only = None if query.only is None else list(query.only)
    rows = await database.fetch(CLAIM, now, query.limit, *columns, query.owner_share, only, lease)
    return [ClaimedDelivery(**row) for row in rows]


async def finish(database: Database, result: DeliveryResult, now: datetime) -> bool:
    """Store the result of a delivery; return whether that disabled its endpoint.

    Two transactions: one that has locked the delivery and waits for the endpoint would wait for its
    deletion, which waits for the delivery.
    """
    stored = await finish_delivery(database, result)
    return stored and await record_health(database, result, now)


async def finish_delivery(executor: Executor, result: DeliveryResult) -> bool:
    """Store the result of a delivery, unless its lease was over."""
    attempt, outcome = result.attempt, result.outcome
    stored = await executor.fetchval(
        FINISH,
        result.claimed.id,
        result.claimed.leased_until,
        outcome.status,
        json.dumps([attempt.to_json()] if attempt else []),
        outcome.next_attempt_at,
    )
    return stored is not None


async def record_health(executor: Executor, result: DeliveryResult, now: datetime) -> bool:
    """Record for the endpoint how an attempt ended; return whether that disabled it."""
    if result.attempt is None:
        return False
    address = (result.claimed.endpoint_id, result.claimed.url)
    delivered = result.attempt.delivered
    return await record_attempt(executor, address, now, delivered=delivered, cutoff=result.cutoff)


async def release(database: Database, leased: Iterable[ClaimedDelivery]) -> None:
    """End leases, so that another process makes the attempts."""
    columns = zip(*((one.id, one.leased_until) for one in leased), strict=True)
    await database.execute(RELEASE, *map(list, columns))


async def redeliver(
    database: Database, target: tuple[UUID, UUID], delivery_id: UUID, now: datetime
) -> bool:
    """Queue a delivery again, with as many attempts as a new one; return False if it cannot be.

    `target`: the ids of endpoint and owner.
    """
    return await database.fetchval(REDELIVER, *target, now, delivery_id) is not None


async def redeliver_failed(
    database: Database, target: tuple[UUID, UUID], since: datetime, now: datetime
) -> int:
    """Queue again what was queued since a time and not delivered; return how many."""
    first = UUID(int=max(milliseconds(since), 0) << 80)  # ids begin with the time
    count, last, batch = 0, first, BATCH
    while batch == BATCH:
        values = (*target, now, since, last, BATCH)
        ids = [row["id"] for row in await database.fetch(REDELIVER_FAILED, *values)]
        count, last, batch = count + len(ids), max(ids, default=last), len(ids)
    return count


async def delete_expired(database: Database, now: datetime) -> None:
    """Delete the deliveries that are older than `RETENTION`, a batch at a time."""
    full = f"DELETE {BATCH}"
    while await database.execute(DELETE_EXPIRED, now - RETENTION) == full:
        pass


async def delete_of_endpoint(database: Database, endpoint_id: UUID) -> None:
    """Delete the deliveries to an endpoint, a batch at a time; more may come meanwhile."""
    full = f"DELETE {BATCH}"
    while await database.execute(DELETE_OF_ENDPOINT, endpoint_id, BATCH) == full:
        pass
