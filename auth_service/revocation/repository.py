"""The table `revocations`. The statement that revokes inserts the row, by the SQL given here."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auth_service.revocation.model import StoredRevocation
from shared.db import Connection, Database, Record
from shared.revocation.message import USER_DELETED, Revocation

LOCK = 0x7265766F  # any number that nothing else locks
COLUMNS = "id, kind, subject, generation, reason, created_at, expires_at, entry"

LIVE_OF_USER = f"""
SELECT {COLUMNS} FROM revocations
WHERE subject IN (SELECT $1::uuid::text UNION ALL SELECT id::text FROM sessions WHERE user_id = $1)
    AND (published_at IS NULL OR expires_at > $2)
ORDER BY id"""

PENDING = f"""
SELECT {COLUMNS} FROM revocations
WHERE published_at IS NULL AND id <= $1 ORDER BY id LIMIT $2"""

PENDING_SUMMARY = """
SELECT (SELECT count(*) FROM revocations WHERE published_at IS NULL) AS count,
       (SELECT coalesce(max(id), 0) FROM revocations) AS newest_id"""

# Those of deleted users are compared for as long as they live.
PUBLISHED = {
    of_deleted_users: f"""
SELECT {COLUMNS} FROM revocations
WHERE published_at IS NOT NULL AND {condition}
ORDER BY created_at DESC, id DESC LIMIT $2"""
    for of_deleted_users, condition in (
        (False, f"reason <> '{USER_DELETED}' AND created_at > $1"),
        (True, f"reason = '{USER_DELETED}' AND expires_at > $1"),
    )
}

LIVE = f"SELECT {COLUMNS} FROM revocations WHERE expires_at > $1 ORDER BY id"

MARK_PUBLISHED = """
UPDATE revocations r SET published_at = $3, entry = published.entry
FROM unnest($1::bigint[], $2::text[]) AS published (id, entry) WHERE r.id = published.id"""

# Rows that another replica is removing are skipped.
REMOVE_EXPIRED = """
DELETE FROM revocations WHERE id IN (
    SELECT id FROM revocations WHERE expires_at < $1
    ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)"""

TRY_LOCK = "SELECT pg_try_advisory_xact_lock($1)"

# A replica that freezes while it holds the lock loses it.
LIMIT_LOCK_TIME = "SET LOCAL idle_in_transaction_session_timeout = '30s'"


@dataclass(frozen=True, slots=True)
class PendingSummary:
    """How many rows wait to be published, and the id of the newest row of all."""

    count: int
    newest_id: int


def insert_user_revocations_sql(
    source: str, reason: str, now: str, until: str, *, generation: str = "generation"
) -> str:
    """Return the statement that revokes what each user of `source` got in earlier generations.

    All are SQL, such as "$2". `source` has the columns `id` and `generation`.
    """
    return (
        "INSERT INTO revocations (kind, subject, generation, reason, created_at, expires_at)"
        f" SELECT 'user', id::text, {generation}, {reason}, {now}, {until} FROM {source}"
    )


def insert_session_revocations_sql(source: str, reason: str, now: str, until: str) -> str:
    """Return the statement that revokes each session of `source`, likewise, by its `id`."""
    return (
        "INSERT INTO revocations (kind, subject, reason, created_at, expires_at)"
        f" SELECT 'session', id::text, {reason}, {now}, {until} FROM {source}"
    )


def from_record(record: Record) -> StoredRevocation:
    """Return the revocation that a record with `COLUMNS` holds."""
    revocation = Revocation(
        kind=record["kind"],
        id=record["subject"],
        reason=record["reason"],
        expires_at=record["expires_at"],
        generation=record["generation"],
    )
    return StoredRevocation(record["id"], revocation, record["created_at"], record["entry"])


async def live_of_user(
    database: Database, user_id: UUID, moment: datetime
) -> list[StoredRevocation]:
    """Return the rows of a user and of the user's sessions: unpublished or not yet expired."""
    records = await database.fetch(LIVE_OF_USER, user_id, moment)
    return [from_record(record) for record in records]


async def pending_up_to(database: Database, newest_id: int, limit: int) -> list[StoredRevocation]:
    """Return up to `limit` unpublished rows, none newer than `newest_id`, the oldest first."""
    records = await database.fetch(PENDING, newest_id, limit)
    return [from_record(record) for record in records]


async def published(
    database: Database, since: datetime, limit: int, *, of_deleted_users: bool
) -> list[StoredRevocation]:
    """Return up to `limit` published rows, the newest first.

    They were created after `since`, or are of deleted users and expire after it.
    """
    records = await database.fetch(PUBLISHED[of_deleted_users], since, limit)
    return [from_record(record) for record in records]


async def pending_summary(database: Database) -> PendingSummary:
    """Return how many rows are unpublished, and how far the table goes."""
    [record] = await database.fetch(PENDING_SUMMARY)
    return PendingSummary(**record)


async def live_pages(
    connection: Connection, moment: datetime, page_size: int
) -> AsyncIterator[list[StoredRevocation]]:
    """Yield every row that has not expired by `moment`, published or not, page by page."""
    cursor = await connection.cursor(LIVE, moment)
    while records := await cursor.fetch(page_size):
        yield [from_record(record) for record in records]


async def mark_published(database: Database, entry_ids: Mapping[int, str], now: datetime) -> None:
    """Record that rows were published, and each row's stream entry."""
    if not entry_ids:
        return
    row_ids = sorted(entry_ids)  # in one order everywhere, or two publishers may deadlock
    entries = [entry_ids[row_id] for row_id in row_ids]
    await database.execute(MARK_PUBLISHED, row_ids, entries, now)


async def remove_expired(database: Database, moment: datetime, limit: int) -> None:
    """Remove up to `limit` rows that expired before `moment`."""
    await database.execute(REMOVE_EXPIRED, moment, limit)


async def try_lock_epoch(connection: Connection) -> bool:
    """Take the lock for starting an epoch until the transaction ends; False if it is taken."""
    await connection.execute(LIMIT_LOCK_TIME)
    return bool(await connection.fetchval(TRY_LOCK, LOCK))
