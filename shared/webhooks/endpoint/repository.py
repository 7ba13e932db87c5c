"""Every statement on `webhook_endpoints`."""

from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from shared.db import Connection, Executor, Record, parameters
from shared.webhooks.endpoint.model import (
    MAX_ENDPOINTS,
    Endpoint,
    EndpointUpdate,
    SealedSecrets,
)

_FIELDS = [field.name for field in fields(Endpoint)]
COLUMNS = ", ".join(_FIELDS)

INSERT = f"""
INSERT INTO webhook_endpoints ({COLUMNS}, secret)
SELECT {parameters([*_FIELDS, "secret"])}
WHERE (SELECT count(*) FROM webhook_endpoints WHERE user_id = $2) < {MAX_ENDPOINTS}
RETURNING true
"""

FIND = f"SELECT {COLUMNS} FROM webhook_endpoints WHERE id = $1 AND user_id = $2"

LOCK = """
SELECT true FROM webhook_endpoints WHERE id = $1 AND user_id = $2 FOR NO KEY UPDATE
"""

PAGE = f"""
SELECT {COLUMNS} FROM webhook_endpoints WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3
"""

UPDATE = f"""
UPDATE webhook_endpoints
SET url = coalesce($3, url), events = coalesce($4, events),
    description = coalesce($5, description), status = coalesce($6, status), updated_at = $7,
    failing_since = CASE WHEN $3::text IS NULL AND $6::text IS DISTINCT FROM 'enabled'
                         THEN failing_since END
WHERE id = $1 AND user_id = $2
RETURNING {COLUMNS}
"""

ROTATE = """
UPDATE webhook_endpoints SET previous_secret = secret, secret = $3, rotated_at = $4
WHERE id = $1 AND user_id = $2
RETURNING true
"""

RECORD_ATTEMPT = """
UPDATE webhook_endpoints
SET attempted_at = $3, updated_at = $3,
    failing_since = CASE WHEN $4 THEN NULL WHEN $5::timestamptz IS NULL THEN failing_since
                         ELSE coalesce(failing_since, $3) END,
    status = CASE WHEN coalesce(failing_since, $3) <= $5::timestamptz THEN 'disabled'
                  ELSE status END
WHERE id = $1 AND url = $2 AND status = 'enabled' AND (
    attempted_at IS NULL OR attempted_at < $3::timestamptz - interval '10 seconds'
    OR CASE WHEN $4 THEN failing_since IS NOT NULL
            WHEN failing_since IS NULL THEN $5::timestamptz IS NOT NULL
            ELSE failing_since <= $5::timestamptz END
)
RETURNING status
"""
"""Most attempts change nothing. The answer of an address that was replaced does not count."""

COUNT_FAILING = """
SELECT status, count(*) FROM webhook_endpoints WHERE failing_since IS NOT NULL GROUP BY status
"""

SEALED_PAGE = """
SELECT id, secret, previous_secret FROM webhook_endpoints WHERE id > $1 ORDER BY id LIMIT $2
"""

RESEAL = """
UPDATE webhook_endpoints
SET secret = coalesce($4, secret), previous_secret = coalesce($5, previous_secret)
WHERE id = $1 AND secret = $2 AND previous_secret IS NOT DISTINCT FROM $3
"""

DELETE = "DELETE FROM webhook_endpoints WHERE id = $1 AND user_id = $2 RETURNING true"

DELETE_BATCH = """
DELETE FROM webhook_endpoints
WHERE id IN (SELECT id FROM webhook_endpoints WHERE user_id = $1 LIMIT $2)
"""


async def insert(connection: Connection, endpoint: Endpoint, secret: bytes) -> bool:
    """Write a new row; return False when the owner has `MAX_ENDPOINTS`.

    The caller's transaction holds a lock of the owner, so that none comes between the count and the
    insert.
    """
    values = attrgetter(*_FIELDS)(endpoint)
    return await connection.fetchval(INSERT, *values, secret) is not None


async def find(executor: Executor, endpoint_id: UUID, user_id: UUID) -> Endpoint | None:
    """Return the owner's endpoint."""
    row = await executor.fetchrow(FIND, endpoint_id, user_id)
    return _endpoint(row) if row else None


async def lock(connection: Connection, endpoint_id: UUID, user_id: UUID) -> bool:
    """Lock the owner's endpoint to the end of the transaction; return False when there is none."""
    return await connection.fetchval(LOCK, endpoint_id, user_id) is not None


async def page(executor: Executor, user_id: UUID, before: UUID, limit: int) -> list[Endpoint]:
    """Return the owner's endpoints, the newest first."""
    return [_endpoint(row) for row in await executor.fetch(PAGE, user_id, before, limit)]


async def update(
    executor: Executor, endpoint_id: UUID, user_id: UUID, change: EndpointUpdate, now: datetime
) -> Endpoint | None:
    """Change the owner's endpoint, and return it as it is then."""
    chosen = (change.url, change.events, change.description, change.status)
    row = await executor.fetchrow(UPDATE, endpoint_id, user_id, *chosen, now)
    return _endpoint(row) if row else None


async def record_attempt(
    executor: Executor,
    address: tuple[UUID, str],
    now: datetime,
    *,
    delivered: bool,
    cutoff: datetime | None,
) -> bool:
    """Record how an attempt at an endpoint ended; return whether that disabled it.

    `address`: the endpoint's id and URL. `cutoff`: an endpoint that has failed since then is
    disabled; None for an attempt that was delivered, or that does not count.
    """
    status = await executor.fetchval(RECORD_ATTEMPT, *address, now, delivered, cutoff)
    return bool(status == "disabled")


async def count_failing(executor: Executor) -> dict[str, int]:
    """Return how many endpoints of all owners fail, by their status."""
    return {row["status"]: row["count"] for row in await executor.fetch(COUNT_FAILING)}


async def rotate_secret(
    executor: Executor, endpoint_id: UUID, user_id: UUID, secret: bytes, now: datetime
) -> bool:
    """Replace the secret and keep the one before; return False when there is no such endpoint."""
    rotated = await executor.fetchval(ROTATE, endpoint_id, user_id, secret, now)
    return rotated is not None


async def sealed_page(executor: Executor, after: UUID, limit: int) -> list[SealedSecrets]:
    """Return the encrypted secrets of all owners' endpoints, in the order of their ids."""
    return [SealedSecrets(**row) for row in await executor.fetch(SEALED_PAGE, after, limit)]


async def reseal(
    executor: Executor, old: SealedSecrets, secret: bytes | None, previous: bytes | None
) -> None:
    """Replace encrypted secrets that are not None, unless they changed meanwhile."""
    known = (old.id, old.secret, old.previous_secret)
    await executor.execute(RESEAL, *known, secret, previous)


async def delete(executor: Executor, endpoint_id: UUID, user_id: UUID) -> bool:
    """Delete the owner's endpoint; return False when there is none."""
    return await executor.fetchval(DELETE, endpoint_id, user_id) is not None


def _endpoint(row: Record) -> Endpoint:
    return Endpoint(**{**row, "events": tuple(row["events"])})
