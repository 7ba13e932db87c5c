"""The table of what is cut off. A row is inserted by the statement that cuts it off."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auth_service.revocation.model import StoredRevocation
from shared.db import Connection, Database, Record
from shared.revocation.message import USER_DELETED, Revocation

LOCK = 0x7265766F  # any number that nothing else locks
COLUMNS = "id, kind, subject, generation, reason, created_at, expires_at, entry"

PENDING_OF_USER = f"""
SELECT {COLUMNS} FROM revocations
WHERE published_at IS NULL AND (
    subject = $1::uuid::text
    OR subject IN (SELECT id::text FROM sessions WHERE user_id = $1))
ORDER BY id"""

PENDING = f"""
SELECT {COLUMNS} FROM revocations
WHERE published_at IS NULL AND id <= $1 ORDER BY id LIMIT $2"""

STATE = """
SELECT (SELECT count(*) FROM revocations WHERE published_at IS NULL) AS pending,
       (SELECT max(id) FROM revocations) AS newest"""

PUBLISHED = f"""
SELECT {COLUMNS} FROM revocations
WHERE published_at IS NOT NULL AND reason <> '{USER_DELETED}' AND created_at > $1
ORDER BY created_at DESC, id DESC LIMIT $2"""

PUBLISHED_OF_DELETED = f"""
SELECT {COLUMNS} FROM revocations
WHERE published_at IS NOT NULL AND reason = '{USER_DELETED}' AND expires_at > $1
ORDER BY created_at DESC, id DESC LIMIT $2"""

LIVE = f"SELECT {COLUMNS} FROM revocations WHERE expires_at > $1 ORDER BY id"

MARK_PUBLISHED = """
UPDATE revocations r SET published_at = $3, entry = told.entry
FROM unnest($1::bigint[], $2::text[]) AS told (id, entry) WHERE r.id = told.id"""

# Rows that another replica is removing are passed over.
REMOVE_EXPIRED = """
DELETE FROM revocations WHERE id IN (
    SELECT id FROM revocations WHERE expires_at < $1
    ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)"""

TRY_LOCK = "SELECT pg_try_advisory_xact_lock($1)"

# A replica that is frozen while it holds the lock loses it.
GIVE_UP_AFTER = "SET LOCAL idle_in_transaction_session_timeout = '30s'"


@dataclass(frozen=True, slots=True)
class State:
    """How many rows wait to be published, and the newest row's number."""

    pending: int
    newest: int


def stored(row: Record) -> StoredRevocation:
    """Return the revocation that a row with `COLUMNS` holds."""
    revocation = Revocation(
        kind=row["kind"],
        id=row["subject"],
        reason=row["reason"],
        expires_at=row["expires_at"],
        generation=row["generation"],
    )
    return StoredRevocation(row["id"], revocation, row["created_at"], row["entry"])


async def pending_of_user(database: Database, user_id: UUID) -> list[StoredRevocation]:
    """Return what is revoked of this user and not yet published."""
    async with database.connection() as connection:
        return [stored(row) for row in await connection.fetch(PENDING_OF_USER, user_id)]


async def pending_up_to(database: Database, newest: int, limit: int) -> list[StoredRevocation]:
    """Return up to `limit` rows that nobody has published, up to a number, the oldest first."""
    async with database.connection() as connection:
        return [stored(row) for row in await connection.fetch(PENDING, newest, limit)]


async def published_since(
    database: Database, moment: datetime, limit: int
) -> list[StoredRevocation]:
    """Return up to `limit` published rows made since `moment`, the newest first.

    Those of deleted users apart.
    """
    async with database.connection() as connection:
        return [stored(row) for row in await connection.fetch(PUBLISHED, moment, limit)]


async def deleted_users(database: Database, now: datetime, limit: int) -> list[StoredRevocation]:
    """Return up to `limit` published rows of deleted users, the newest first."""
    async with database.connection() as connection:
        return [stored(row) for row in await connection.fetch(PUBLISHED_OF_DELETED, now, limit)]


async def state(database: Database) -> State:
    """Return what is pending, and how far the table goes."""
    async with database.connection() as connection:
        row = await connection.fetchrow(STATE)
    return State(row["pending"], row["newest"] or 0) if row else State(0, 0)


async def live(
    connection: Connection, moment: datetime, page: int
) -> AsyncIterator[list[StoredRevocation]]:
    """Yield every row that has not expired by `moment`, published or not, page by page."""
    cursor = await connection.cursor(LIVE, moment)
    while rows := await cursor.fetch(page):
        yield [stored(row) for row in rows]


async def mark_published(database: Database, entries: Mapping[int, str], now: datetime) -> None:
    """Note which entry of the backlog tells each row."""
    async with database.connection() as connection:
        await connection.execute(MARK_PUBLISHED, list(entries), list(entries.values()), now)


async def remove_expired(database: Database, moment: datetime, limit: int) -> None:
    """Remove up to `limit` rows that expired before `moment`."""
    async with database.connection() as connection:
        await connection.execute(REMOVE_EXPIRED, moment, limit)


async def try_lock(connection: Connection) -> bool:
    """Take the lock of whoever starts an epoch, until the transaction ends; False when taken."""
    await connection.execute(GIVE_UP_AFTER)
    return bool(await connection.fetchval(TRY_LOCK, LOCK))
