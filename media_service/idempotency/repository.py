"""Every statement on `idempotency_keys`."""

from datetime import datetime

from media_service.idempotency.model import RETENTION, IdempotencyKey, StoredResponse
from media_service.quota.model import LEASE
from shared.db import Connection, Executor

CLAIM = """
INSERT INTO idempotency_keys AS k (user_id, route, key, lease, leased_until, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (user_id, route, key) DO UPDATE SET
    lease = excluded.lease, leased_until = excluded.leased_until,
    created_at = excluded.created_at, fingerprint = NULL, answer = NULL, location = NULL
WHERE k.answer IS NULL AND k.leased_until <= $6 OR k.created_at <= $7
RETURNING true
"""

RENEW = """
UPDATE idempotency_keys SET leased_until = $5
WHERE user_id = $1 AND route = $2 AND key = $3 AND lease = $4 AND answer IS NULL
"""

FIND_RESPONSE = """
SELECT fingerprint, answer, location FROM idempotency_keys
WHERE user_id = $1 AND route = $2 AND key = $3 AND answer IS NOT NULL
"""

STORE_RESPONSE = """
UPDATE idempotency_keys SET fingerprint = $5, answer = $6, location = $7
WHERE user_id = $1 AND route = $2 AND key = $3 AND lease = $4 AND answer IS NULL
RETURNING true
"""

RELEASE = """
DELETE FROM idempotency_keys
WHERE user_id = $1 AND route = $2 AND key = $3 AND lease = $4 AND answer IS NULL
"""

DELETE_EXPIRED = "DELETE FROM idempotency_keys WHERE created_at <= $1"

DELETE_BATCH = """
DELETE FROM idempotency_keys WHERE (user_id, route, key) IN (
    SELECT user_id, route, key FROM idempotency_keys WHERE user_id = $1 LIMIT $2
)
"""


async def claim(executor: Executor, key: IdempotencyKey, now: datetime) -> bool:
    """Take a key that is new, or whose lease or retention has expired."""
    args = (*key, now + LEASE, now, now - RETENTION)
    return await executor.fetchval(CLAIM, *args) is not None


async def renew(executor: Executor, key: IdempotencyKey, now: datetime) -> None:
    """Extend the request's lease."""
    await executor.execute(RENEW, *key, now + LEASE)


async def find_response(executor: Executor, key: IdempotencyKey) -> StoredResponse | None:
    """Return the stored response, None while there is none."""
    row = await executor.fetchrow(FIND_RESPONSE, key.user_id, key.route, key.key)
    return StoredResponse(row["fingerprint"], row["answer"], row["location"]) if row else None


async def store_response(
    connection: Connection, key: IdempotencyKey, response: StoredResponse
) -> bool:
    """Store the response; return False when another request has taken the key."""
    stored = await connection.fetchval(
        STORE_RESPONSE, *key, response.request_hash, response.body, response.location
    )
    return stored is not None


async def release(executor: Executor, key: IdempotencyKey) -> None:
    """Release the key unless it has a response."""
    await executor.execute(RELEASE, *key)


async def delete_expired(executor: Executor, now: datetime) -> None:
    """Delete the keys that are older than `RETENTION`."""
    await executor.execute(DELETE_EXPIRED, now - RETENTION)
