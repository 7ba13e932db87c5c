"""Users as operators see and change them. Each change carries its event and its revocation."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from auth_service.admin.model import Search
from auth_service.audit.repository import insert_event_sql
from auth_service.user.model import User
from auth_service.user.repository import COLUMNS, user_of
from shared.db import Connection, Database

LISTED = ", ".join(COLUMNS)

LIST_USERS = f"SELECT {LISTED} FROM users WHERE id < $1 ORDER BY id DESC LIMIT $2"

# Compared byte by byte, as the indexes are sorted.
SEARCH = f"""
SELECT {LISTED} FROM users
WHERE id < $5 AND (
    (lower(name) ~>=~ $1 AND lower(name) ~<~ $2)
    OR (lower(username) ~>=~ $1 AND lower(username) ~<~ $2)
    OR (lower(email) ~>=~ $1 AND lower(email) ~<~ $2)
    OR (phone_number ~>=~ $3 AND phone_number ~<~ $4))
ORDER BY id DESC LIMIT $6"""

FIND = f"SELECT {LISTED} FROM users WHERE id = $1"

FIND_VERIFIED_USER = f"""
SELECT {LISTED} FROM users
WHERE (phone_number = $1 AND phone_verified) OR (email = lower($1) AND email_verified)"""

# Whoever is disabled has no live token: the generation is raised by the same statement, and what
# would set another password once they are let in again is removed.
DISABLE = f"""
WITH changed AS (
    UPDATE users SET status = 'disabled', generation = generation + 1, codes_valid_from = $2
    WHERE id = $1 AND status <> 'disabled' RETURNING id, generation
), dead AS (
    UPDATE sessions SET revoked_at = $2, revoked_reason = 'disabled'
    WHERE user_id = (SELECT id FROM changed) AND revoked_at IS NULL
), void AS (
    DELETE FROM tokens WHERE user_id = $1 AND scope = 'reset'
), event AS (
    {insert_event_sql(4, "changed")}
)
INSERT INTO revocations (kind, subject, generation, reason, created_at, expires_at)
SELECT 'user', id::text, generation, 'disabled', $2, $3 FROM changed"""

# Who had nothing proven before has nothing proven now.
ENABLE = f"""
WITH changed AS (
    UPDATE users
    SET status = CASE WHEN phone_verified OR email_verified THEN 'active' ELSE 'pending' END
    WHERE id = $1 AND status = 'disabled' RETURNING id
)
{insert_event_sql(2, "changed")}"""

_CHANGE_ROLES = """
WITH changed AS (
    UPDATE users SET roles = {roles}, generation = generation + 1, codes_valid_from = $2
    WHERE id = $1 AND {different} RETURNING id, generation, roles
), event AS (
    {event}
)
INSERT INTO revocations (kind, subject, generation, reason, created_at, expires_at)
SELECT 'user', id::text, generation, 'roles_changed', $2, $3 FROM changed"""
_ROLES_EVENT = insert_event_sql(
    4, "changed", details="jsonb_build_object('roles', array_to_string(changed.roles, ' '))"
)

# Tokens say which roles: the old ones die, and refreshing brings the new.
CHANGE_ROLES = {
    "set": _CHANGE_ROLES.format(
        roles="$5::text[]", different="roles IS DISTINCT FROM $5::text[]", event=_ROLES_EVENT
    ),
    "grant": _CHANGE_ROLES.format(
        roles="ARRAY(SELECT DISTINCT r FROM unnest(roles || $5::text[]) r ORDER BY r)",
        different="NOT roles @> $5::text[]",
        event=_ROLES_EVENT,
    ),
    "revoke": _CHANGE_ROLES.format(
        roles="ARRAY(SELECT r FROM unnest(roles) r WHERE r <> ALL ($5::text[]) ORDER BY r)",
        different="roles && $5::text[]",
        event=_ROLES_EVENT,
    ),
}


async def list_users(database: Database, before: UUID, limit: int) -> list[User]:
    """Return up to `limit` users made before the one of that id, the newest first."""
    async with database.connection() as connection:
        return [user_of(row) for row in await connection.fetch(LIST_USERS, before, limit)]


async def search(database: Database, search: Search, before: UUID, limit: int) -> list[User]:
    """Return, likewise, those whose name, username, mail address or number begins like that."""
    arguments = (*search.bounds(), before, limit)
    async with database.connection() as connection:
        return [user_of(row) for row in await connection.fetch(SEARCH, *arguments)]


async def find(connection: Connection, user_id: UUID) -> User | None:
    """Return the user, None when there is none."""
    row = await connection.fetchrow(FIND, user_id)
    return user_of(row) if row else None


async def find_verified_user(database: Database, address: str) -> User | None:
    """Return the verified holder of a number or a mail address."""
    async with database.connection() as connection:
        row = await connection.fetchrow(FIND_VERIFIED_USER, address)
    return user_of(row) if row else None


async def disable(
    connection: Connection, user_id: UUID, *, event: str, now: datetime, until: datetime
) -> None:
    """Keep the user out; nothing happens to one who is kept out already."""
    await connection.execute(DISABLE, user_id, now, until, event)


async def enable(connection: Connection, user_id: UUID, *, event: str) -> None:
    """Let a user in again who was kept out."""
    await connection.execute(ENABLE, user_id, event)


async def change_roles(
    connection: Connection,
    user_id: UUID,
    how: Literal["set", "grant", "revoke"],
    roles: Sequence[str],
    *,
    event: str,
    now: datetime,
    until: datetime,
) -> None:
    """Change what the user may; nothing happens where nothing is different."""
    await connection.execute(CHANGE_ROLES[how], user_id, now, until, event, list(roles))
