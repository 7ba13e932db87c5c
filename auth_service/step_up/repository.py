"""A session's authentication time."""

from auth_service.audit.repository import insert_event_sql
from auth_service.session.model import Authentication, Caller, Session
from auth_service.session.repository import (
    SESSION_COLUMNS,
    record_authentication_sql,
    session_from_row,
)
from auth_service.user.model import Account
from shared.db import Executor

# Only while session and user are active, and the password is the one that was verified.
RECORD_AUTHENTICATION = f"""
WITH s AS (
    {record_authentication_sql("$4", "$5")}
    FROM users u
    WHERE sessions.id = $1 AND sessions.user_id = $2 AND sessions.revoked_at IS NULL
      AND u.id = sessions.user_id AND u.status = 'active' AND u.generation = $3
      AND u.password IS NOT DISTINCT FROM $6
    RETURNING sessions.*
), event AS (
    {insert_event_sql(7, "s")}
)
SELECT {SESSION_COLUMNS} FROM s"""


async def record_authentication(
    executor: Executor,
    caller: Caller,
    account: Account,
    authentication: Authentication,
    *,
    event_json: str,
) -> Session | None:
    """Store the authentication; None when the session or the account has changed since."""
    row = await executor.fetchrow(
        RECORD_AUTHENTICATION,
        caller.session_id,
        account.user.id,
        account.user.generation,
        authentication.auth_time,
        list(authentication.amr),
        account.password,
        event_json,
    )
    return session_from_row(row) if row else None
