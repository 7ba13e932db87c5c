"""The table `users`: its rows, and the SQL with which other features change them."""

from dataclasses import fields
from datetime import datetime
from uuid import UUID

from auth_service.destination import Channel
from auth_service.user.model import REGISTRATION_LIFE, Account, AccountLookup, IdentifierKind, User
from shared.db import Connection, Database, Executor, Record

COLUMNS = tuple(field.name for field in fields(User))
PREFIXED_COLUMNS = ", ".join(f"u.{name}" for name in COLUMNS)

HAS_VERIFIED_OWNER = (
    "SELECT EXISTS (SELECT 1 FROM users WHERE phone_number = $1 AND phone_verified)"
)

IS_OWNED_BY: dict[IdentifierKind, str] = {
    "sms": "u.phone_number = $1 AND u.phone_verified",
    "email": "u.email = $1 AND u.email_verified",
    "username": "lower(u.username) = lower($1) AND u.status <> 'pending'",
}
IS_CLAIMED_BY: dict[IdentifierKind, str] = {
    "sms": "u.phone_number = $1",
    "email": "u.email = $1",
    "username": "lower(u.username) = lower($1)",
}
LOOK_UP_ACCOUNT = {
    kind: f"""
(SELECT {PREFIXED_COLUMNS}, u.password FROM users u WHERE {IS_OWNED_BY[kind]})
UNION ALL
(SELECT {PREFIXED_COLUMNS}, u.password FROM users u
 WHERE {IS_CLAIMED_BY[kind]} AND u.status = 'pending' AND u.created_at > $2
 ORDER BY u.created_at DESC, u.id DESC LIMIT 1)"""
    for kind in IS_OWNED_BY
}
FIND_ACCOUNT = f"SELECT {PREFIXED_COLUMNS}, u.password FROM users u WHERE u.id = $1"

FIND_LOCALE: dict[Channel, str] = {
    "sms": f"SELECT locale FROM users u WHERE {IS_OWNED_BY['sms']}",
    "email": f"SELECT locale FROM users u WHERE {IS_OWNED_BY['email']}",
}

INSERT_PENDING_USER = """
INSERT INTO users (id, username, name, first_name, last_name, email, phone_number, password,
                   status, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', $9)"""

# $1: the verified number. $2: the id, if nobody has the number. $3: the name. $4: now.
INSERT_SIGNED_UP = """
INSERT INTO users (id, name, phone_number, phone_verified, status, last_login_at, created_at)
SELECT $2, $3, $1, true, 'active', $4, $4
WHERE NOT EXISTS (SELECT 1 FROM users WHERE phone_number = $1 AND phone_verified)
ON CONFLICT (phone_number) WHERE phone_verified DO NOTHING"""

# Unproven identifiers that belong to a verified account by now are dropped. When accounts are
# concealed ($3) the mail address stays: dropping it would reveal its owner.
ACTIVATE_REGISTRATION = {
    channel: f"""
WITH r AS (
    SELECT id,
        $2 AND username IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM users x
            WHERE lower(x.username) = lower(c.username) AND x.status <> 'pending') AS named,
        $2 AND ($3 OR NOT EXISTS (
            SELECT 1 FROM users x WHERE x.email = c.email AND x.email_verified)) AS mailed
    FROM users c WHERE id = $1 AND status = 'pending'
)
UPDATE users u SET
    status = 'active',
    {proven} = true,
    username = CASE WHEN r.named THEN u.username END,
    email = CASE WHEN {keeps_email} THEN u.email END,
    password = CASE WHEN $2 THEN u.password END,
    first_name = CASE WHEN $2 THEN u.first_name END,
    last_name = CASE WHEN $2 THEN u.last_name END,
    name = CASE WHEN $2 AND (r.named OR u.name IS DISTINCT FROM u.username)
                THEN u.name ELSE '' END
FROM r WHERE u.id = r.id
RETURNING {PREFIXED_COLUMNS}, u.password"""
    for channel, proven, keeps_email in (
        ("sms", "phone_verified", "r.mailed"),
        ("email", "email_verified", "true"),
    )
}

REMOVE_REGISTRATIONS = "DELETE FROM users WHERE id = ANY($1) AND status = 'pending'"

# Rows that another replica is removing are skipped.
REMOVE_EXPIRED_REGISTRATIONS = """
DELETE FROM users WHERE id IN (
    SELECT id FROM users WHERE status = 'pending' AND created_at <= $1
    ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)"""

# $1: the user's id. $2: the new names and the locale as JSON.
PROFILE = ("name", "first_name", "last_name", "username", "locale")
_PROFILE_ASSIGNMENTS = ", ".join(
    f"{field} = CASE WHEN $2::jsonb ? '{field}' THEN $2::jsonb ->> '{field}' ELSE {field} END"
    for field in PROFILE
)
UPDATE_PROFILE = f"""
UPDATE users SET {_PROFILE_ASSIGNMENTS}, version = version + 1
WHERE id = $1 AND status = 'active'"""

# $3: the address, which the user has verified. The clause that selects the user follows.
UPDATE_CONTACT: dict[Channel, str] = {
    "sms": "UPDATE users SET phone_number = $3, phone_verified = true, version = users.version + 1",
    "email": "UPDATE users SET email = $3, email_verified = true, version = users.version + 1",
}

REPLACE_HASH = "UPDATE users SET password = $3 WHERE id = $1 AND password = $2"

# Only while the account is as it was read: a password that was set meanwhile wins.
SET_HASH = """
UPDATE users SET password = $4
WHERE id = $1 AND status = 'active' AND generation = $2 AND password IS NOT DISTINCT FROM $3
  AND ($5::timestamptz IS NULL OR codes_valid_from IS NULL OR codes_valid_from < $5)"""

DELETE = "DELETE FROM users WHERE id = $1"


def record_sign_in_sql(now: str) -> str:
    """Return the statement that stores when a user signed in, without its condition."""
    return f"UPDATE users SET last_login_at = {now}"


def set_factor_kinds_sql(kinds: str) -> str:
    """Return the statement that stores the kinds of the second factors of the user $1."""
    return f"UPDATE users SET factor_kinds = {kinds} WHERE id = $1"


def invalidate_codes_sql(now: str) -> str:
    """Return the statement that makes codes requested before `now` invalid, for the user $1."""
    return f"UPDATE users SET codes_valid_from = {now} WHERE id = $1"


def revoke_access_sql(now: str, *assignments: str, where: str = "id = $1") -> str:
    """Return the statement that makes all tokens and codes of a user invalid.

    `assignments`: what else changes, such as "status = 'disabled'".
    """
    revoking = ("generation = generation + 1", f"codes_valid_from = {now}")
    changes = ", ".join([*assignments, *revoking])
    return f"UPDATE users SET {changes} WHERE {where}"


DISABLE = revoke_access_sql("$2", "status = 'disabled'", where="id = $1 AND status <> 'disabled'")

# A user without a verified address was a registration before.
ENABLE = """
UPDATE users
SET status = CASE WHEN phone_verified OR email_verified THEN 'active' ELSE 'pending' END
WHERE id = $1 AND status = 'disabled'"""

_GRANTED = "ARRAY(SELECT DISTINCT r FROM unnest(roles || $5::text[]) r ORDER BY r)"
_REMAINING = "ARRAY(SELECT r FROM unnest(roles) r WHERE r <> ALL ($5::text[]) ORDER BY r)"
UPDATE_ROLES = {
    how: revoke_access_sql("$2", f"roles = {roles}", where=f"id = $1 AND {condition}")
    for how, roles, condition in (
        ("set", "$5::text[]", "roles IS DISTINCT FROM $5::text[]"),
        ("grant", _GRANTED, "NOT roles @> $5::text[]"),
        ("revoke", _REMAINING, "roles && $5::text[]"),
    )
}


def user_from_row(row: Record, prefix: str = "") -> User:
    """Return the user that a row with `COLUMNS` holds, each with the prefix."""
    values = {name: row[prefix + name] for name in COLUMNS}
    arrays = {name: tuple(values[name]) for name in ("roles", "factor_kinds")}
    return User(**{**values, **arrays})


async def has_verified_owner(database: Database, phone_number: str) -> bool:
    """Return whether a user has verified the number."""
    return bool(await database.fetchval(HAS_VERIFIED_OWNER, phone_number))


def account_from_row(row: Record) -> Account:
    """Return the account that a row with `COLUMNS` and `password` holds."""
    return Account(user_from_row(row), row["password"])


async def look_up_account(
    executor: Executor, kind: IdentifierKind, value: str, now: datetime
) -> AccountLookup:
    """Return the accounts with the identifier; a registration counts for 7 days."""
    # The database folds some non-ASCII letters into ASCII ones; rate limits do not, so each such
    # spelling of a username would have tries of its own.
    if kind == "username" and not value.isascii():
        return AccountLookup(None, None)
    rows = await executor.fetch(LOOK_UP_ACCOUNT[kind], value, now - REGISTRATION_LIFE)
    accounts = [account_from_row(row) for row in rows]
    pending = [account for account in accounts if account.user.status == "pending"]
    owners = [account for account in accounts if account.user.status != "pending"]
    return AccountLookup(next(iter(owners), None), next(iter(pending), None))


async def find_account(executor: Executor, user_id: UUID) -> Account | None:
    """Return the account with that id."""
    row = await executor.fetchrow(FIND_ACCOUNT, user_id)
    return account_from_row(row) if row else None


async def find_locale(database: Database, channel: Channel, address: str) -> str | None:
    """Return the language that the verified owner of an address has chosen."""
    async with database.connection() as connection:
        locale: str | None = await connection.fetchval(FIND_LOCALE[channel], address)
    return locale


async def replace_password_hash(database: Database, account: Account, fresh: str) -> None:
    """Store another hash of the same password, unless the password has changed meanwhile."""
    await database.execute(REPLACE_HASH, account.user.id, account.password, fresh)


async def set_password(
    connection: Connection,
    account: Account,
    fresh: str,
    *,
    code_requested_at: datetime | None = None,
) -> bool:
    """Store the hash of another password; False when the account has changed since it was read.

    `code_requested_at`: when its code was requested, None without one. False, too, when the user's
    access was revoked since.
    """
    user = account.user
    known = (user.id, user.generation, account.password)
    done: str = await connection.execute(SET_HASH, *known, fresh, code_requested_at)
    return done == "UPDATE 1"
