"""Storing a session with its first refresh token and its audit event."""

from collections.abc import Sequence
from datetime import datetime
from typing import get_args
from uuid import UUID

from auth_service.audit.repository import insert_event_sql
from auth_service.event.repository import (
    audited_at_sql,
    record_events_sql,
    session_rows_sql,
    user_rows_sql,
)
from auth_service.revocation.repository import insert_session_revocations_sql
from auth_service.session.repository import (
    REVOKED_ROWS,
    SESSION_COLUMNS,
    insert_session_sql,
    revoke_sessions_sql,
    session_from_row,
)
from auth_service.session.sign_in.model import (
    SURPLUS_CHECK_THRESHOLD,
    MfaScope,
    NewSession,
    NewTicket,
    StoredSignIn,
    VerifiedContact,
)
from auth_service.token.repository import insert_token_sql
from auth_service.user.model import Account, User
from auth_service.user.repository import (
    INSERT_SIGNED_UP,
    PREFIXED_COLUMNS,
    record_sign_in_sql,
    user_from_row,
)
from shared.db import Connection, Executor

SURPLUS = "too_many_sessions"
TICKET_SCOPES: tuple[MfaScope, ...] = get_args(MfaScope)


def _may_sign_in_sql(requested_at: str) -> str:
    """Return the condition of a user who may sign in by a code of that time, or without one.

    A code that was requested before the user's access was revoked does not count: PostgreSQL checks
    the condition again after it waited for the row.
    """
    return f"""status = 'active' AND ({requested_at}::timestamptz IS NULL
        OR codes_valid_from IS NULL OR codes_valid_from < {requested_at})"""


IS_ACCOUNT = "id = $1 AND generation = $2 AND password IS NOT DISTINCT FROM $3"
IS_CONTACT = "phone_number = $1 AND phone_verified"
# A user with a second factor gets no session without it, unless the caller allows that ($17). A
# factor that is being confirmed counts, since its transaction locks the user's row.
MAY_GET_SESSION = f"""{_may_sign_in_sql("$16")}
    AND ($17::boolean OR (factor_kinds = '{{}}' AND NOT roles && $18::text[]))"""

# No row if status, generation or password have changed since the credential was checked: the change
# wins. Whatever changes them locks the user's row first.
USER_OF_ACCOUNT = f"""u AS (
    {record_sign_in_sql("$4")}
    WHERE {IS_ACCOUNT} AND {MAY_GET_SESSION}
    RETURNING *, false AS is_new
)"""

# The owner of the number, or a new user. No row if a concurrent request created the owner or moved
# the number: the next attempt finds the result.
USER_OF_CONTACT = f"""seen AS (
    {record_sign_in_sql("$4")}
    WHERE {IS_CONTACT} AND {MAY_GET_SESSION}
    RETURNING *
), created AS (
    {INSERT_SIGNED_UP} RETURNING *
), u AS (
    SELECT *, false AS is_new FROM seen UNION ALL SELECT *, true FROM created
)"""

SESSION = insert_session_sql(
    "u",
    "$4",
    id="$5",
    user_id="u.id",
    user_agent="$6",
    ip="$7",
    amr="$8",
    expires_at="$9",
    device_id="$13",
    agent_family="$14",
)
TOKEN_COLUMNS = {"user_id": "s.user_id", "session_id": "s.id", "created_at": "$4"}
TOKEN = insert_token_sql("refresh", "s", hash="$10", expires_at="$11", **TOKEN_COLUMNS)
EVENT = "CASE WHEN u.is_new THEN 'user.signed_up' ELSE 'user.signed_in' END"
PUBLISHED = record_events_sql(
    user_rows_sql(12, "(SELECT * FROM u WHERE is_new) AS created", "user.created"),
    session_rows_sql("session.created", "s", audited_at_sql(12)),
)


def _sign_in_sql(user: str) -> str:
    """Return the statement that creates a session with everything that belongs to it.

    `user`: the CTE `u` of at most one row, from parameters 1 to 4.
    """
    source = "u JOIN s ON s.user_id = u.id"
    event = insert_event_sql(12, source, user_id="u.id", session_id="s.id", event=EVENT)
    return f"""
WITH {user}, known AS (
    SELECT EXISTS (
        SELECT 1 FROM sessions x
        WHERE x.user_id = (SELECT id FROM u) AND x.ip <<= $15::cidr
            AND (x.revoked_at IS NULL OR x.revoked_reason IN ('logout', '{SURPLUS}')) AND (
            x.agent_family = $14
            OR (x.agent_family IS NULL AND x.user_agent IS NOT DISTINCT FROM $6))) AS network,
        (SELECT count(*) = {SURPLUS_CHECK_THRESHOLD} FROM (
            SELECT 1 FROM sessions x
            WHERE x.user_id = (SELECT id FROM u) AND x.revoked_at IS NULL AND x.expires_at > $4
            LIMIT {SURPLUS_CHECK_THRESHOLD}) AS live) AS many_sessions
), s AS (
    {SESSION}
), t AS (
    {TOKEN}
), event AS (
    {event}
), published AS (
    {PUBLISHED}
)
SELECT u.is_new, known.network AS known_network, known.many_sessions,
       {PREFIXED_COLUMNS}, {SESSION_COLUMNS}
FROM known, {source}"""


_SURPLUS_EVENT = insert_event_sql(
    5,
    "(SELECT count(*) AS number FROM revoked HAVING count(*) > 0) ended",
    details=f"jsonb_build_object('reason', '{SURPLUS}', 'ended', ended.number::text)",
)
# The least recently used sessions beyond $6 besides the new one. It is a statement of its own,
# after the one that locked the user, so that it sees every session.
REVOKE_SURPLUS = f"""
WITH surplus AS (
    SELECT id FROM sessions
    WHERE user_id = $1 AND id <> $2 AND revoked_at IS NULL AND expires_at > $3
    ORDER BY last_used_at DESC, id DESC OFFSET $6
), revoked AS (
    {revoke_sessions_sql("FROM surplus WHERE sessions.id = surplus.id", "$3", f"'{SURPLUS}'")}
    RETURNING sessions.*
), event AS (
    {_SURPLUS_EVENT}
), published AS (
    {record_events_sql(REVOKED_ROWS)}
)
{insert_session_revocations_sql("revoked", f"'{SURPLUS}'", "$3", "$4")}"""

LOCK_ACCOUNT, LOCK_CONTACT = (
    f"""
SELECT {PREFIXED_COLUMNS} FROM users u
WHERE {is_user} AND {_may_sign_in_sql(requested_at)}
  AND (factor_kinds <> '{{}}' OR roles && {roles}::text[])
FOR NO KEY UPDATE"""
    for is_user, requested_at, roles in ((IS_ACCOUNT, "$4", "$5"), (IS_CONTACT, "$2", "$3"))
)

_TICKETS = {
    scope: insert_token_sql(
        scope,
        hash="$1",
        user_id="$2",
        created_at="$3",
        expires_at="$4",
        device_id="$5",
        amr="$6",
    )
    for scope in TICKET_SCOPES
}
INSERT_TICKET = {
    scope: f"""
WITH ticket AS (
    {insert} RETURNING user_id
)
{insert_event_sql(7, "ticket", user_id="ticket.user_id")}"""
    for scope, insert in _TICKETS.items()
}

HAS_RECOVERY_CODES = "SELECT EXISTS (SELECT 1 FROM recovery_codes WHERE user_id = $1)"

INSERT_FOR_ACCOUNT = _sign_in_sql(USER_OF_ACCOUNT)
INSERT_FOR_CONTACT = _sign_in_sql(USER_OF_CONTACT)


async def insert_session(
    connection: Connection, owner: Account | VerifiedContact, new: NewSession
) -> StoredSignIn | None:
    """Store a session with its first refresh token and its event.

    None when the account has changed since it was read, may not sign in, or has a second factor
    that the sign-in has not proven.
    """
    query, user_parameters = _insert_query_for(owner)
    client = new.context.client
    row = await connection.fetchrow(
        query,
        *user_parameters,
        new.now,
        new.id,
        client.user_agent,
        client.address,
        list(new.context.amr),
        new.expires_at,
        new.refresh_hash,
        new.refresh_expires_at,
        new.event_json,
        client.device,
        client.agent_family,
        # the network counts only for a device without a token
        client.network if client.device_is_new else None,
        new.context.code_requested_at,
        new.may_lack_factor,
        new.factor_roles,
    )
    if row is None:
        return None
    return StoredSignIn(
        user_from_row(row),
        session_from_row(row),
        row["is_new"],
        row["known_network"],
        row["many_sessions"],
    )


async def lock_user_with_factor(
    connection: Connection,
    owner: Account | VerifiedContact,
    code_requested_at: datetime | None,
    factor_roles: Sequence[str],
) -> User | None:
    """Return the user who may sign in by a second factor, locked until the transaction ends.

    None when the account has changed since it was read, or may not sign in. None too for a user
    without a factor and without a role that needs one.
    """
    needs = (code_requested_at, factor_roles)
    if isinstance(owner, VerifiedContact):
        row = await connection.fetchrow(LOCK_CONTACT, owner.phone_number, *needs)
    else:
        user = owner.user
        known = (user.id, user.generation, owner.password)
        row = await connection.fetchrow(LOCK_ACCOUNT, *known, *needs)
    return user_from_row(row) if row else None


async def insert_ticket(
    connection: Connection, user: User, ticket: NewTicket, *, event_json: str
) -> None:
    """Store the ticket of a sign-in that waits for a second factor, and its event."""
    await connection.execute(
        INSERT_TICKET[ticket.scope],
        ticket.hash,
        user.id,
        ticket.created_at,
        ticket.expires_at,
        ticket.device,
        list(ticket.amr),
        event_json,
    )


async def has_recovery_codes(executor: Executor, user_id: UUID) -> bool:
    """Return whether the user has a recovery code left."""
    return bool(await executor.fetchval(HAS_RECOVERY_CODES, user_id))


def _insert_query_for(owner: Account | VerifiedContact) -> tuple[str, tuple[object, ...]]:
    if isinstance(owner, VerifiedContact):
        return INSERT_FOR_CONTACT, (owner.phone_number, owner.new_user_id, owner.name)
    return INSERT_FOR_ACCOUNT, (owner.user.id, owner.user.generation, owner.password)


async def revoke_surplus(
    connection: Connection, stored: StoredSignIn, limit: int, *, event_json: str, until: datetime
) -> bool:
    """Revoke the user's least recently used sessions beyond `limit`; return whether there were any.

    The new session is not among them.
    """
    session = stored.session
    status: str = await connection.execute(
        REVOKE_SURPLUS, stored.user.id, session.id, session.created_at, until, event_json, limit - 1
    )
    return not status.endswith(" 0")
