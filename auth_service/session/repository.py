"""The tables of sessions and of their tokens."""

from collections.abc import Collection
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from auth_service.audit.repository import insert_event_sql
from auth_service.device.repository import forget_devices_sql
from auth_service.event.repository import record_events_sql, session_rows_sql, user_rows_sql
from auth_service.revocation import repository as revocations
from auth_service.revocation.model import NewRevocation
from auth_service.session.model import (
    ActiveSession,
    ActiveSessionFilter,
    IssuedToken,
    LockedRefreshToken,
    RevokeResult,
    Session,
)
from auth_service.token.repository import REMOVE_TICKETS, insert_token_sql, mark_used_sql
from auth_service.user.repository import (
    PREFIXED_COLUMNS,
    invalidate_codes_sql,
    revoke_access_sql,
    user_from_row,
)
from shared.db import Connection, Database, Executor, Record
from shared.paging import Position

_FIELDS = tuple(field.name for field in fields(Session))
_TOKEN_FIELDS = {field.name for field in fields(LockedRefreshToken)}.difference(
    ["user", "session", "session_revoked"]
)
SESSION_COLUMNS = ", ".join(f"s.{name} AS session_{name}" for name in _FIELDS)

# One row only while session, user and generation allow the token.
FIND_ACTIVE_SESSION = f"""
SELECT {PREFIXED_COLUMNS}, s.device_id, s.rotations_seen, s.amr
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.id = $1 AND s.user_id = $2 AND s.revoked_at IS NULL AND s.expires_at > $4
  AND u.status = 'active' AND u.generation = $3"""

# The session's row is locked while a refresh reads it. A repeated or late call changes no row.
RECORD_SEEN_ROTATION = """
UPDATE sessions SET rotations_seen = $2 WHERE id = $1 AND rotations_seen < $2"""

LIST_SESSIONS = f"""
SELECT {SESSION_COLUMNS} FROM sessions s
WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 AND last_used_at > $3
  AND (created_at, id) < ($4, $5)
ORDER BY created_at DESC, id DESC LIMIT $6"""

READ_REFRESH_TOKEN = f"""
SELECT t.hash, t.expires_at, t.used_at, t.successor_hash,
       successor.used_at AS successor_used_at, successor.expires_at AS successor_expires_at,
       s.rotations_seen >= s.rotations AS successor_is_seen,
       s.revoked_at, {SESSION_COLUMNS}, {PREFIXED_COLUMNS}
FROM tokens t
JOIN sessions s ON s.id = t.session_id
JOIN users u ON u.id = s.user_id
LEFT JOIN tokens successor ON successor.hash = t.successor_hash
WHERE t.hash = $1 AND t.scope = 'refresh'"""

# Of several tokens the unused one comes first: a used one would end the session.
FIND_ISSUED = """
SELECT hash, user_id, session_id FROM tokens
WHERE hash = ANY ($1) AND scope = 'refresh' AND session_id IS NOT NULL
  AND ($2::uuid IS NULL OR session_id = $2)
ORDER BY used_at DESC NULLS FIRST LIMIT 1"""

# Refreshing and revoking lock the session's row, so that they exclude each other.
LOCK_SESSION = "SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE"

_SUCCESSOR = insert_token_sql(
    "refresh", hash="$2", user_id="$6", session_id="$5", created_at="$4", expires_at="$3"
)
ROTATE = f"""
WITH used AS (
    {mark_used_sql("$1", "$2", "$4")}
), kept AS (
    UPDATE sessions SET last_used_at = $4, device_id = $7, rotations = rotations + 1
    WHERE id = $5
)
{_SUCCESSOR}"""

# Their refresh tokens go with them. Rows that another replica is removing are skipped.
REMOVE_EXPIRED = """
DELETE FROM sessions WHERE id IN (
    SELECT id FROM sessions WHERE expires_at <= $1
    ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)"""


def insert_session_sql(source: str, now: str, **columns: str) -> str:
    """Return the statement that creates a session for each row of `source`.

    `now`: when the user was authenticated. `columns`: further values as SQL, such as `ip="$7"`.
    """
    return (
        f"INSERT INTO sessions (auth_time, created_at, last_used_at, {', '.join(columns)})"
        f" SELECT {now}, {now}, {now}, {', '.join(columns.values())} FROM {source} RETURNING *"
    )


def record_authentication_sql(now: str, amr: str) -> str:
    """Return the statement that stores an authentication, without the clause that selects rows.

    Its methods come last, so that the order tells which one was proven lately.
    """
    kept = f"SELECT m FROM unnest(amr) m WHERE m <> ALL ({amr}::text[])"
    return f"UPDATE sessions SET auth_time = {now}, amr = ARRAY({kept}) || {amr}::text[]"


def remove_method_sql(method: str) -> str:
    """Return the statement that removes a method from every session of the user $1."""
    return (
        f"UPDATE sessions SET amr = array_remove(amr, {method})"
        f" WHERE user_id = $1 AND {method} = ANY (amr)"
    )


def revoke_sessions_sql(selection: str, now: str, reason: str) -> str:
    """Return the statement that revokes the selected sessions, except those revoked before.

    `selection`: a clause such as "WHERE user_id = $1".
    """
    return (
        f"UPDATE sessions SET revoked_at = {now}, revoked_reason = {reason}"
        f" {selection} AND revoked_at IS NULL"
    )


REVOKED_ROWS = session_rows_sql("session.revoked", "revoked", "revoked_at")

# One row, of nulls when the session was revoked before.
REVOKE_SESSION = f"""
WITH revoked AS (
    {revoke_sessions_sql("WHERE id = $1 AND user_id = $2", "$3", "$4")} RETURNING *
), event AS (
    {insert_event_sql(6, "revoked", session_id="revoked.id")}
), published AS (
    {record_events_sql(REVOKED_ROWS)}
), revocation AS (
    {revocations.insert_session_revocations_sql("revoked", "$4", "$3", "$5")}
    RETURNING {revocations.COLUMNS}
)
SELECT EXISTS (SELECT 1 FROM sessions WHERE id = $1 AND user_id = $2) AS found, revocation.*
FROM (VALUES (0)) AS always LEFT JOIN revocation ON true"""

# A sign-in locks its user. This statement waits for sign-ins in progress, so that the next one sees
# their sessions. NO KEY, because a refresh's foreign keys would deadlock with a full lock.
LOCK_USER = "SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE"

REVOKE_OTHER_SESSIONS = f"""
WITH changed AS (
    {invalidate_codes_sql("$3")} RETURNING *
), removed AS (
    {REMOVE_TICKETS}
), forgotten AS (
    {forget_devices_sql()}
), revoked AS (
    {revoke_sessions_sql("WHERE user_id = $1 AND id <> $2", "$3", "$4")} RETURNING *
), event AS (
    {insert_event_sql(6, "(SELECT count(*) FROM revoked) counted")}
), published AS (
    {record_events_sql(user_rows_sql(6, "changed"), REVOKED_ROWS)}
)
{revocations.insert_session_revocations_sql("revoked", "$4", "$3", "$5")}"""

# A higher generation revokes every token of the user with one message. Tickets and remembered
# devices carry no generation, so they are removed: a thief could use one to come back.
REVOKE_ALL_SESSIONS = f"""
WITH raised AS (
    {revoke_access_sql("$2")} RETURNING *
), revoked AS (
    {revoke_sessions_sql("WHERE user_id = $1", "$2", "$3")} RETURNING *
), removed AS (
    {REMOVE_TICKETS}
), forgotten AS (
    {forget_devices_sql()}
), event AS (
    {insert_event_sql(5, "raised")}
), published AS (
    {record_events_sql(user_rows_sql(5, "raised"), REVOKED_ROWS)}
)
{revocations.insert_user_revocations_sql("raised", "$3", "$2", "$4")}"""


def session_from_row(row: Record) -> Session:
    """Return the session that a row with `SESSION_COLUMNS` holds."""
    values = {name: row[f"session_{name}"] for name in _FIELDS}
    return Session(**{**values, "amr": tuple(values["amr"])})


async def find_active_session(
    executor: Executor, session_id: UUID, user_id: UUID, generation: int, now: datetime
) -> ActiveSession | None:
    """Return the session with its user; None if the session or its user has ended."""
    row = await executor.fetchrow(FIND_ACTIVE_SESSION, session_id, user_id, generation, now)
    if row is None:
        return None
    amr = tuple(row["amr"])
    return ActiveSession(user_from_row(row), row["device_id"], row["rotations_seen"], amr)


async def record_seen_rotation(database: Database, session_id: UUID, rotations: int) -> None:
    """Store that the client has the answer of this exchange, and thus the refresh token in it."""
    await database.execute(RECORD_SEEN_ROTATION, session_id, rotations)


async def list_sessions(
    database: Database, active: ActiveSessionFilter, before: Position[UUID], limit: int
) -> list[Session]:
    """Return active sessions created before `before`, the newest first."""
    chosen = (active.user_id, active.now, active.used_after)
    arguments: tuple[Any, ...] = (*chosen, before.moment, before.id, limit)
    return [session_from_row(row) for row in await database.fetch(LIST_SESSIONS, *arguments)]


async def lock_refresh_token(
    connection: Connection, token: IssuedToken
) -> LockedRefreshToken | None:
    """Lock the refresh token's session, then read both; None when they are gone.

    The lock is a statement of its own: a statement that waits for a lock reads other tables as
    they were before it.
    """
    await connection.execute(LOCK_SESSION, token.session_id)
    row = await connection.fetchrow(READ_REFRESH_TOKEN, token.hash)
    if row is None:
        return None
    return LockedRefreshToken(
        user=user_from_row(row),
        session=session_from_row(row),
        session_revoked=row["revoked_at"] is not None,
        **{name: row[name] for name in _TOKEN_FIELDS},
    )


async def find_refresh_token(
    database: Database, hashes: Collection[bytes], session_id: UUID | None
) -> IssuedToken | None:
    """Return the one of these refresh tokens that was issued, for that session if it is given.

    Of several, an unused one; None without any.
    """
    row = await database.fetchrow(FIND_ISSUED, list(hashes), session_id) if hashes else None
    return IssuedToken(**row) if row else None


async def rotate_token(
    connection: Connection,
    token: LockedRefreshToken,
    successor_hash: bytes,
    *,
    expires_at: datetime,
    now: datetime,
) -> None:
    """Store the successor and the session's device, and mark the token as used."""
    session, user_id = token.session, token.user.id
    hashes = (token.hash, successor_hash)
    await connection.execute(
        ROTATE, *hashes, expires_at, now, session.id, user_id, session.device_id
    )


async def revoke_session(
    executor: Executor, session_id: UUID, user_id: UUID, new: NewRevocation
) -> RevokeResult:
    """Revoke one session of the user, if there is one with that id.

    The event is stored if the session was active.
    """
    arguments = (session_id, user_id, new.created_at, new.reason, new.expires_at, new.event_json)
    [row] = await executor.fetch(REVOKE_SESSION, *arguments)
    revocation = None if row["id"] is None else revocations.from_record(row)
    return RevokeResult(row["found"], revocation)


async def lock_user(connection: Connection, user_id: UUID) -> None:
    """Wait for the user's sign-ins in progress, and block others until the transaction ends."""
    await connection.execute(LOCK_USER, user_id)


async def revoke_other_sessions(
    connection: Connection, user_id: UUID, keep: UUID, new: NewRevocation
) -> None:
    """Revoke every session of the user but `keep`; in a transaction."""
    await lock_user(connection, user_id)
    stored = (new.created_at, new.reason, new.expires_at, new.event_json)
    await connection.execute(REVOKE_OTHER_SESSIONS, user_id, keep, *stored)


async def revoke_all_sessions(connection: Connection, user_id: UUID, new: NewRevocation) -> None:
    """Revoke every session and reset ticket of the user by a new generation; in a transaction."""
    await lock_user(connection, user_id)
    stored = (new.created_at, new.reason, new.expires_at, new.event_json)
    await connection.execute(REVOKE_ALL_SESSIONS, user_id, *stored)
