"""Reading users. A user is written where it comes from: sign-up, registration, administration."""

from dataclasses import fields
from datetime import datetime
from typing import Literal
from uuid import UUID

from auth_service.user.model import REGISTRATION_LIFE, Account, AccountLookup, User
from shared.db import Connection, Database, Record

Name = Literal["sms", "email", "username"]
"""What somebody goes by: a channel's address, or a username."""

COLUMNS = tuple(field.name for field in fields(User))
PREFIXED = ", ".join(f"u.{name}" for name in COLUMNS)

HAS_VERIFIED_OWNER = (
    "SELECT EXISTS (SELECT 1 FROM users WHERE phone_number = $1 AND phone_verified)"
)

IS_OWNED_BY: dict[Name, str] = {
    "sms": "u.phone_number = $1 AND u.phone_verified",
    "email": "u.email = $1 AND u.email_verified",
    "username": "lower(u.username) = lower($1) AND u.status <> 'pending'",
}
IS_CLAIMED_BY: dict[Name, str] = {
    "sms": "u.phone_number = $1",
    "email": "u.email = $1",
    "username": "lower(u.username) = lower($1)",
}
LOOK_UP_ACCOUNT = {
    name: f"""
(SELECT {PREFIXED}, u.password FROM users u WHERE {IS_OWNED_BY[name]})
UNION ALL
(SELECT {PREFIXED}, u.password FROM users u
 WHERE {IS_CLAIMED_BY[name]} AND u.status = 'pending' AND u.created_at > $2
 ORDER BY u.created_at DESC, u.id DESC LIMIT 1)"""
    for name in IS_OWNED_BY
}
FIND_ACCOUNT = f"SELECT {PREFIXED}, u.password FROM users u WHERE u.id = $1"


def user_of(row: Record) -> User:
    """Return the user that a row with `COLUMNS` holds."""
    values = {name: row[name] for name in COLUMNS}
    return User(**{**values, "roles": tuple(values["roles"])})


async def has_verified_owner(database: Database, phone_number: str) -> bool:
    """Tell whether a verified user holds the number."""
    async with database.connection() as connection:
        return bool(await connection.fetchval(HAS_VERIFIED_OWNER, phone_number))


def account_of(row: Record) -> Account:
    """Return the account that a row with `COLUMNS` and `password` holds."""
    return Account(user_of(row), row["password"])


async def look_up_account(
    connection: Connection, name: Name, value: str, now: datetime
) -> AccountLookup:
    """Return who goes by the name, verified and not; a registration counts while it is fresh."""
    # The database folds letters outside ASCII into those of somebody's username; what counts
    # tries by the name does not, so that each such spelling would bring tries of its own.
    if name == "username" and not value.isascii():
        return AccountLookup(None, None)
    rows = await connection.fetch(LOOK_UP_ACCOUNT[name], value, now - REGISTRATION_LIFE)
    accounts = [account_of(row) for row in rows]
    pending = [account for account in accounts if account.user.status == "pending"]
    holders = [account for account in accounts if account.user.status != "pending"]
    return AccountLookup(next(iter(holders), None), next(iter(pending), None))


async def find_account(connection: Connection, user_id: UUID) -> Account | None:
    """Return the account with that id."""
    row = await connection.fetchrow(FIND_ACCOUNT, user_id)
    return account_of(row) if row else None
