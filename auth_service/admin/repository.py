"""Users as operators see and change them. Each change carries its event and its revocation."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from auth_service.admin.model import UserPrefixSearch
from auth_service.audit.repository import insert_event_sql
from auth_service.device.repository import forget_devices_sql
from auth_service.event.repository import record_events_sql, user_rows_sql
from auth_service.revocation.model import NewRevocation
from auth_service.revocation.repository import insert_user_revocations_sql
from auth_service.session.repository import REVOKED_ROWS, revoke_sessions_sql
from auth_service.token.repository import REMOVE_TICKETS
from auth_service.user import repository as users
from auth_service.user.model import User
from shared.db import Connection, Database

LISTED = ", ".join(users.COLUMNS)

LIST_USERS = f"SELECT {LISTED} FROM users WHERE id < $1 ORDER BY id DESC LIMIT $2"

# Compared byte by byte, like the indexes.
SEARCH = f"""
SELECT {LISTED} FROM users
WHERE id < $5 AND (
    (lower(name) ~>=~ $1 AND lower(name) ~<~ $2)
    OR (lower(username) ~>=~ $1 AND lower(username) ~<~ $2)
    OR (lower(email) ~>=~ $1 AND lower(email) ~<~ $2)
    OR (phone_number ~>=~ $3 AND phone_number ~<~ $4))
ORDER BY id DESC LIMIT $6"""

FIND_VERIFIED_USER = f"""
SELECT {LISTED} FROM users
WHERE (phone_number = $1 AND phone_verified) OR (email = lower($1) AND email_verified)"""

# A disabled user has no valid token: the same statement raises the generation, and removes tickets
# and remembered devices, which would work again after `enable`.
DISABLE = f"""
WITH changed AS (
    {users.DISABLE} RETURNING *
), revoked AS (
    {revoke_sessions_sql("WHERE user_id = (SELECT id FROM changed)", "$2", "$5")} RETURNING *
), removed AS (
    {REMOVE_TICKETS}
), forgotten AS (
    {forget_devices_sql()}
), event AS (
    {insert_event_sql(4, "changed")}
), published AS (
    {record_events_sql(user_rows_sql(4, "changed"), REVOKED_ROWS)}
)
{insert_user_revocations_sql("changed", "$5", "$2", "$3")}"""

ENABLE = f"""
WITH changed AS (
    {users.ENABLE} RETURNING *
), event AS (
    {insert_event_sql(2, "changed")}
)
{record_events_sql(user_rows_sql(2, "changed"))}"""

_NEW_ROLES = "jsonb_build_object('roles', array_to_string(changed.roles, ' '))"

# Tokens carry the roles: the old ones are revoked, and a refresh brings the new roles. With other
# roles the user proves the second factor again on each device.
CHANGE_ROLES = {
    how: f"""
WITH changed AS (
    {update} RETURNING *
), forgotten AS (
    {forget_devices_sql("(SELECT id FROM changed)")}
), event AS (
    {insert_event_sql(4, "changed", details=_NEW_ROLES)}
), published AS (
    {record_events_sql(user_rows_sql(4, "changed"))}
)
{insert_user_revocations_sql("changed", "$6", "$2", "$3")}"""
    for how, update in users.UPDATE_ROLES.items()
}


async def list_users(
    database: Database, search: UserPrefixSearch | None, before: UUID, limit: int
) -> list[User]:
    """Return up to `limit` users older than the id `before`, the newest first.

    With a search, only those whose name, username, mail address or number matches.
    """
    query, bounds = (SEARCH, search.bounds()) if search else (LIST_USERS, ())
    rows = await database.fetch(query, *bounds, before, limit)
    return [users.user_from_row(row) for row in rows]


async def find_verified_user(database: Database, address: str) -> User | None:
    """Return the user who has verified the number or mail address."""
    row = await database.fetchrow(FIND_VERIFIED_USER, address)
    return users.user_from_row(row) if row else None


async def disable(connection: Connection, user_id: UUID, new: NewRevocation) -> None:
    """Disable the user; do nothing if already disabled."""
    stored = (new.created_at, new.expires_at, new.event_json, new.reason)
    await connection.execute(DISABLE, user_id, *stored)


async def enable(connection: Connection, user_id: UUID, *, event_json: str) -> None:
    """Enable a disabled user."""
    await connection.execute(ENABLE, user_id, event_json)


async def change_roles(
    connection: Connection,
    user_id: UUID,
    how: Literal["set", "grant", "revoke"],
    roles: Sequence[str],
    new: NewRevocation,
) -> None:
    """Change the user's roles; do nothing if they stay the same."""
    stored = (new.created_at, new.expires_at, new.event_json, list(roles), new.reason)
    await connection.execute(CHANGE_ROLES[how], user_id, *stored)
