"""Every statement on `idempotency_keys`."""

from datetime import datetime

from media_service.idempotency.model import KEPT, FirstAnswer, KeyUse
from media_service.quota.model import LEASE
from shared.db import Connection

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

FIND_ANSWER = """
SELECT fingerprint, answer, location FROM idempotency_keys
WHERE user_id = $1 AND route = $2 AND key = $3 AND answer IS NOT NULL
"""

FINISH = """
UPDATE idempotency_keys SET fingerprint = $5, answer = $6, location = $7
WHERE user_id = $1 AND route = $2 AND key = $3 AND lease = $4 AND answer IS NULL
RETURNING true
"""

RELEASE = """
DELETE FROM idempotency_keys
WHERE user_id = $1 AND route = $2 AND key = $3 AND lease = $4 AND answer IS NULL
"""

FORGET = """
DELETE FROM idempotency_keys WHERE created_at <= $1
"""


async def claim(connection: Connection, use: KeyUse, now: datetime) -> bool:
    """Take a key that is new, was left by one who died, or is too old to count."""
    args = (*_names(use), now + LEASE, now, now - KEPT)
    return await connection.fetchval(CLAIM, *args) is not None


async def renew(connection: Connection, use: KeyUse, now: datetime) -> None:
    """Say that the request still runs."""
    await connection.execute(RENEW, *_names(use), now + LEASE)


async def find_answer(connection: Connection, use: KeyUse) -> FirstAnswer | None:
    """Return what the first request was answered, None while there is no answer."""
    row = await connection.fetchrow(FIND_ANSWER, use.user_id, use.route, use.key)
    return FirstAnswer(row["fingerprint"], row["answer"], row["location"]) if row else None


async def finish(connection: Connection, use: KeyUse, answer: FirstAnswer) -> bool:
    """Store the answer; return False when the key has been taken by another meanwhile."""
    stored = await connection.fetchval(
        FINISH, *_names(use), answer.fingerprint, answer.body, answer.location
    )
    return stored is not None


async def release(connection: Connection, use: KeyUse) -> None:
    """Give the key back unless there is an answer."""
    await connection.execute(RELEASE, *_names(use))


async def forget(connection: Connection, now: datetime) -> None:
    """Remove what is too old to count."""
    await connection.execute(FORGET, now - KEPT)


def _names(use: KeyUse) -> tuple[object, ...]:
    return (use.user_id, use.route, use.key, use.lease)
