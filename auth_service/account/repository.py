"""A user's own row: profile, contact, export and deletion."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from uuid import UUID

from asyncpg import DeadlockDetectedError, UniqueViolationError

from auth_service.account.model import Batch, ContactChange, ExportedSession, ExportedToken, RowKey
from auth_service.audit.model import StoredEvent
from auth_service.audit.repository import EARLIEST, EVENTS_OF_USER, event_from_row, insert_event_sql
from auth_service.destination import Destination
from auth_service.device.model import RememberedDevice
from auth_service.device.repository import list_devices
from auth_service.event.repository import record_events_sql, user_rows_sql
from auth_service.factor.model import Factor
from auth_service.factor.repository import list_factors
from auth_service.revocation.repository import insert_user_revocations_sql
from auth_service.session.repository import lock_user
from auth_service.token.repository import remove_tickets
from auth_service.user import repository as users
from auth_service.user.model import User
from shared.db import Connection, Database, Record
from shared.revocation.message import USER_DELETED

FIRST_ID = UUID(int=0)
CHANGE_PROFILE = f"""
WITH changed AS (
    {users.UPDATE_PROFILE} RETURNING *
), event AS (
    {insert_event_sql(3, "changed")}
), published AS (
    {record_events_sql(user_rows_sql(3, "changed"))}
)
SELECT {users.PREFIXED_COLUMNS} FROM changed u"""

_OLD_COLUMNS = ", ".join(f"old.{name} AS old_{name}" for name in users.COLUMNS)
CHANGE_CONTACT = {
    channel: f"""
WITH old AS (
    SELECT * FROM users WHERE id = $1 AND status = 'active' AND generation = $2
    FOR NO KEY UPDATE
), u AS (
    {update_contact}
    FROM old WHERE users.id = old.id RETURNING users.*
), event AS (
    {insert_event_sql(4, "u")}
), published AS (
    {record_events_sql(user_rows_sql(4, "u"))}
)
SELECT {users.PREFIXED_COLUMNS}, {_OLD_COLUMNS} FROM u JOIN old ON old.id = u.id"""
    for channel, update_contact in users.UPDATE_CONTACT.items()
}

LOCK_SESSIONS = "SELECT 1 FROM sessions WHERE user_id = $1 ORDER BY id FOR UPDATE"

_REVOCATION = insert_user_revocations_sql(
    "deleted", f"'{USER_DELETED}'", "$2", "$3", generation="generation + 1"
)

# Sessions and tokens are deleted with the user; the revocation outlives them.
DELETE_USER = f"""
WITH deleted AS (
    {users.DELETE} RETURNING *
), event AS (
    {insert_event_sql(4, "deleted")}
), published AS (
    {record_events_sql(user_rows_sql(4, "deleted"))}
)
{_REVOCATION}"""

# Each list is read in the order of an index, after the last row of the batch before.
BATCH_ROWS = 250
SESSIONS = f"""
SELECT {", ".join(field.name for field in fields(ExportedSession))} FROM sessions
WHERE user_id = $1 AND (created_at, id) > ($3, $4) ORDER BY created_at, id LIMIT $2"""

TOKENS = f"""
SELECT {", ".join(field.name for field in fields(ExportedToken))}, hash FROM tokens
WHERE user_id = $1 AND (scope, created_at, hash) > ($3, $4, $5)
ORDER BY scope, created_at, hash LIMIT $2"""


async def change_profile(
    connection: Connection, user_id: UUID, changes: Mapping[str, str | None], *, event_json: str
) -> User | None:
    """Store names; None when another user has the username, or the user is not active."""
    try:
        async with connection.transaction():
            row = await connection.fetchrow(
                CHANGE_PROFILE, user_id, json.dumps(dict(changes)), event_json
            )
    except UniqueViolationError:
        return None
    return users.user_from_row(row) if row else None


async def change_contact(
    connection: Connection, user: User, to: Destination, *, event_json: str
) -> ContactChange | None:
    """Store a verified address; None when another user has it, or this one has changed."""
    try:
        async with connection.transaction():
            row = await connection.fetchrow(
                CHANGE_CONTACT[to.channel], user.id, user.generation, to.address, event_json
            )
    except (UniqueViolationError, DeadlockDetectedError):  # two users swap addresses
        return None
    if row is None:
        return None
    # reset tickets went to an address that may belong to another user now
    await remove_tickets(connection, user.id)
    return ContactChange(
        old_user=users.user_from_row(row, "old_"), new_user=users.user_from_row(row)
    )


async def delete_user(
    connection: Connection, user_id: UUID, *, event_json: str, now: datetime, until: datetime
) -> None:
    """Delete the user with sessions and tokens, after sign-ins in progress have ended."""
    # sign-ins are locked out first, then refreshes: one common lock would deadlock with them
    await lock_user(connection, user_id)
    await connection.execute(LOCK_SESSIONS, user_id)
    await connection.execute(DELETE_USER, user_id, now, until, event_json)


async def read_sessions(
    database: Database, user_id: UUID, after: RowKey | None
) -> Batch[ExportedSession]:
    """Return the user's next sessions, revoked or not, the oldest first."""
    start = after or (EARLIEST, FIRST_ID)
    rows = await database.fetch(SESSIONS, user_id, BATCH_ROWS, *start)
    records = [ExportedSession(**{**row, "amr": tuple(row["amr"])}) for row in rows]
    return Batch(records, _last_key(rows, "created_at", "id"))


async def read_tokens(
    database: Database, user_id: UUID, after: RowKey | None
) -> Batch[ExportedToken]:
    """Return the user's next tokens, the oldest of each scope first."""
    start = after or ("", EARLIEST, b"")
    rows = await database.fetch(TOKENS, user_id, BATCH_ROWS, *start)
    names = [field.name for field in fields(ExportedToken)]
    records = [ExportedToken(**{name: row[name] for name in names}) for row in rows]
    return Batch(records, _last_key(rows, "scope", "created_at", "hash"))


async def read_factors(database: Database, user_id: UUID, after: RowKey | None) -> Batch[Factor]:
    """Return all of the user's second factors, which are few: nothing comes after a key."""
    return Batch([] if after else await list_factors(database, user_id), None)


async def read_remembered_devices(
    database: Database, user_id: UUID, after: RowKey | None
) -> Batch[RememberedDevice]:
    """Return all of the user's remembered devices, the expired ones too; likewise."""
    return Batch([] if after else await list_devices(database, user_id, EARLIEST), None)


async def read_events(
    database: Database, user_id: UUID, after: RowKey | None
) -> Batch[StoredEvent]:
    """Return the user's next events, redacted for the user, the oldest first."""
    rows = await database.fetch(EVENTS_OF_USER, user_id, BATCH_ROWS, *(after or (FIRST_ID,)))
    return Batch([event_from_row(row).redacted_for_user() for row in rows], _last_key(rows, "id"))


def _last_key(rows: Sequence[Record], *columns: str) -> RowKey | None:
    """Return the last row's key; None when the batch is not full."""
    return tuple(rows[-1][name] for name in columns) if len(rows) == BATCH_ROWS else None
