"""Reading users. The features that create or change users write the table."""

from dataclasses import fields
from datetime import datetime
from uuid import UUID

from auth_service.user.model import REGISTRATION_LIFE, Account, AccountLookup, IdentifierKind, User
from shared.db import Connection, Database, Record

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


def user_from_row(row: Record) -> User:
    """Return the user that a row with `COLUMNS` holds."""
    values = {name: row[name] for name in COLUMNS}
    return User(**{**values, "roles": tuple(values["roles"])})


async def has_verified_owner(database: Database, phone_number: str) -> bool:
    """Return whether a user has verified the number."""
    async with database.connection() as connection:
        return bool(await connection.fetchval(HAS_VERIFIED_OWNER, phone_number))


def account_from_row(row: Record) -> Account:
    """Return the account that a row with `COLUMNS` and `password` holds."""
    return Account(user_from_row(row), row["password"])


async def look_up_account(
    connection: Connection, kind: IdentifierKind, value: str, now: datetime
) -> AccountLookup:
    """Return the accounts with the identifier; a registration counts for 7 days."""
    # The database folds some non-ASCII letters into ASCII ones; rate limits do not, so each such
    # spelling of a username would have tries of its own.
    if kind == "username" and not value.isascii():
        return AccountLookup(None, None)
    rows = await connection.fetch(LOOK_UP_ACCOUNT[kind], value, now - REGISTRATION_LIFE)
    accounts = [account_from_row(row) for row in rows]
    pending = [account for account in accounts if account.user.status == "pending"]
    owners = [account for account in accounts if account.user.status != "pending"]
    return AccountLookup(next(iter(owners), None), next(iter(pending), None))


async def find_account(connection: Connection, user_id: UUID) -> Account | None:
    """Return the account with that id."""
    row = await connection.fetchrow(FIND_ACCOUNT, user_id)
    return account_from_row(row) if row else None
