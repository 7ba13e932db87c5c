"""Registrations: rows of `users` with the status `pending`."""

from datetime import datetime
from uuid import UUID

from asyncpg import UniqueViolationError

from auth_service.destination import Channel, Destination
from auth_service.registration.model import (
    RegistrationRequest,
    SelectedRegistration,
    TakenIdentifiers,
)
from auth_service.token.repository import REMOVE_HANDLES, insert_token_sql
from auth_service.user.model import REGISTRATION_LIFE, Account
from auth_service.user.repository import IS_OWNED_BY, PREFIXED_COLUMNS, account_from_row
from shared.db import Connection

FIND_TAKEN = """
SELECT EXISTS (SELECT 1 FROM users WHERE phone_number = $1 AND phone_verified) AS mobile,
       EXISTS (SELECT 1 FROM users WHERE email = $2 AND email_verified) AS email,
       EXISTS (SELECT 1 FROM users
               WHERE lower(username) = lower($3) AND status <> 'pending') AS username"""

INSERT_REGISTRATION = """
INSERT INTO users (id, username, name, first_name, last_name, email, phone_number, password,
                   status, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', $9)"""

# A registration is open at the one address that gets its code.
CODE_GOES_TO: dict[Channel, str] = {
    "sms": "phone_number = $1",
    "email": "email = $1 AND phone_number IS NULL",
}
HAS_OPEN_REGISTRATION = {
    channel: f"""
SELECT EXISTS (
    SELECT 1 FROM users WHERE {goes_to} AND status = 'pending' AND created_at > $2
) AND NOT EXISTS (SELECT 1 FROM users u WHERE {IS_OWNED_BY[channel]})"""
    for channel, goes_to in CODE_GOES_TO.items()
}
LOCK_OPEN_REGISTRATIONS = {
    channel: f"""
SELECT id FROM users WHERE {goes_to} AND status = 'pending' AND created_at > $2
ORDER BY created_at DESC, id DESC FOR UPDATE"""
    for channel, goes_to in CODE_GOES_TO.items()
}

# Unproven identifiers that belong to a verified account by now are dropped. When accounts are
# concealed ($3) the mail address stays: dropping it would reveal its owner.
ACTIVATE = {
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

# The registration must be open at the address that the handle is presented for.
FIND_BY_HANDLE = {
    channel: f"""
SELECT id FROM users
WHERE {goes_to} AND status = 'pending' AND created_at > $2
  AND id = (SELECT user_id FROM tokens WHERE hash = $3 AND scope = 'registration')"""
    for channel, goes_to in CODE_GOES_TO.items()
}
_HANDLE = insert_token_sql(
    "registration", "users", hash="$1", user_id="id", created_at="$3", expires_at="$4"
)
ADD_HANDLE = f"{_HANDLE} WHERE id = $2 AND status = 'pending'"

REMOVE_REGISTRATIONS = "DELETE FROM users WHERE id = ANY($1) AND status = 'pending'"


async def find_taken_identifiers(
    connection: Connection, wanted: RegistrationRequest
) -> TakenIdentifiers:
    """Return which of the identifiers belong to a verified account."""
    row = await connection.fetchrow(FIND_TAKEN, wanted.mobile, wanted.email, wanted.username)
    return (
        TakenIdentifiers(**row)
        if row
        else TakenIdentifiers(mobile=False, email=False, username=False)
    )


async def insert_registration(
    connection: Connection,
    user_id: UUID,
    wanted: RegistrationRequest,
    password: str | None,
    now: datetime,
) -> None:
    """Store a registration; `password` is a hash."""
    await connection.execute(
        INSERT_REGISTRATION,
        user_id,
        wanted.username,
        wanted.name,
        wanted.first_name,
        wanted.last_name,
        wanted.email,
        wanted.mobile,
        password,
        now,
    )


async def add_handle(
    connection: Connection, hash_: bytes, registration: UUID, now: datetime
) -> None:
    """Store the handle of a code that was sent for the registration, by its SHA-256."""
    await connection.execute(ADD_HANDLE, hash_, registration, now, now + REGISTRATION_LIFE)


async def find_by_handle(
    connection: Connection, destination: Destination, hash_: bytes, now: datetime
) -> UUID | None:
    """Return the open registration at the address that a code with the handle was sent for."""
    query, since = FIND_BY_HANDLE[destination.channel], now - REGISTRATION_LIFE
    found: UUID | None = await connection.fetchval(query, destination.address, since, hash_)
    return found


async def has_open_registration(
    connection: Connection, destination: Destination, now: datetime
) -> bool:
    """Return whether a registration is open at the address, which has no owner yet."""
    query, since = HAS_OPEN_REGISTRATION[destination.channel], now - REGISTRATION_LIFE
    return bool(await connection.fetchval(query, destination.address, since))


async def lock_open_registrations(
    connection: Connection, destination: Destination, now: datetime
) -> list[UUID]:
    """Return the address's open registrations, the newest first, locked until the end."""
    query, since = LOCK_OPEN_REGISTRATIONS[destination.channel], now - REGISTRATION_LIFE
    return [row["id"] for row in await connection.fetch(query, destination.address, since)]


async def activate(
    connection: Connection,
    destination: Destination,
    selected: SelectedRegistration,
    *,
    conceals: bool,
) -> Account | None:
    """Turn a registration into an account; None when its username was just taken."""
    query = ACTIVATE[destination.channel]
    try:
        async with connection.transaction():
            row = await connection.fetchrow(query, selected.id, selected.keep_profile, conceals)
            await connection.execute(REMOVE_HANDLES, selected.id)
    except UniqueViolationError:
        return None
    return account_from_row(row) if row else None


async def remove_registrations(connection: Connection, registrations: list[UUID]) -> None:
    """Remove registrations whose address has an owner by now."""
    await connection.execute(REMOVE_REGISTRATIONS, registrations)
