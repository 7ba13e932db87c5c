"""The table of what is cut off. A row is inserted by the statement that cuts it off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.db import Connection, Database, Record
from shared.revocation.message import Revocation

LOCK = 0x7265766F  # any number that nothing else locks
COLUMNS = "id, kind, subject, generation, reason, expires_at"

PENDING_OF_USER = f"""
SELECT {COLUMNS} FROM revocations
WHERE published_at IS NULL AND (
    subject = $1::uuid::text
    OR subject IN (SELECT id::text FROM sessions WHERE user_id = $1))
ORDER BY id"""

PENDING = f"""
SELECT {COLUMNS} FROM revocations
WHERE published_at IS NULL AND created_at < $1 ORDER BY id LIMIT 500"""

LIVE = f"SELECT {COLUMNS} FROM revocations WHERE expires_at > $1 ORDER BY id"

MARK_PUBLISHED = """
UPDATE revocations SET published_at = $2 WHERE id = ANY($1::bigint[]) AND published_at IS NULL"""

TRY_LOCK = "SELECT pg_try_advisory_xact_lock($1)"


@dataclass(frozen=True, slots=True)
class StoredRevocation:
    """A row: what is revoked, and the number by which it is marked as published."""

    id: int
    revocation: Revocation


def _stored(row: Record) -> StoredRevocation:
    revocation = Revocation(
        kind=row["kind"],
        id=row["subject"],
        reason=row["reason"],
        expires_at=row["expires_at"],
        generation=row["generation"],
    )
    return StoredRevocation(row["id"], revocation)


async def pending_of_user(database: Database, user_id: UUID) -> list[StoredRevocation]:
    """Return what is revoked of this user and not yet published."""
    async with database.connection() as connection:
        return [_stored(row) for row in await connection.fetch(PENDING_OF_USER, user_id)]


async def pending_before(database: Database, moment: datetime) -> list[StoredRevocation]:
    """Return up to 500 rows older than `moment` that nobody has published."""
    async with database.connection() as connection:
        return [_stored(row) for row in await connection.fetch(PENDING, moment)]


async def live(connection: Connection, now: datetime) -> list[StoredRevocation]:
    """Return everything that is revoked and has not expired, published or not."""
    return [_stored(row) for row in await connection.fetch(LIVE, now)]


async def mark_published(
    connection: Connection, stored: Sequence[StoredRevocation], now: datetime
) -> None:
    """Note that these rows are in the backlog."""
    await connection.execute(MARK_PUBLISHED, [row.id for row in stored], now)


async def try_lock(connection: Connection) -> bool:
    """Take the lock of whoever starts an epoch, until the transaction ends; False when taken."""
    return bool(await connection.fetchval(TRY_LOCK, LOCK))
