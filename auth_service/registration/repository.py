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
from auth_service.user import repository as users
from auth_service.user.model import REGISTRATION_LIFE, Account
from shared.db import Connection, Database, Executor

FIND_TAKEN = """
SELECT EXISTS (SELECT 1 FROM users WHERE phone_number = $1 AND phone_verified) AS mobile,
       EXISTS (SELECT 1 FROM users WHERE email = $2 AND email_verified) AS email,
       EXISTS (SELECT 1 FROM users
               WHERE lower(username) = lower($3) AND status <> 'pending') AS username"""

# A registration is open at the one address that gets its code.
CODE_GOES_TO: dict[Channel, str] = {
    "sms": "phone_number = $1",
    "email": "email = $1 AND phone_number IS NULL",
}
HAS_OPEN_REGISTRATION = {
    channel: f"""
SELECT EXISTS (
    SELECT 1 FROM users WHERE {goes_to} AND status = 'pending' AND created_at > $2
) AND NOT EXISTS (SELECT 1 FROM users u WHERE {users.IS_OWNED_BY[channel]})"""
    for channel, goes_to in CODE_GOES_TO.items()
}
LOCK_OPEN_REGISTRATIONS = {
    channel: f"""
SELECT id FROM users WHERE {goes_to} AND status = 'pending' AND created_at > $2
ORDER BY created_at DESC, id DESC FOR UPDATE"""
    for channel, goes_to in CODE_GOES_TO.items()
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


async def find_taken_identifiers(
    database: Database, wanted: RegistrationRequest
) -> TakenIdentifiers:
    """Return which of the identifiers belong to a verified account."""
    [row] = await database.fetch(FIND_TAKEN, wanted.mobile, wanted.email, wanted.username)
    return TakenIdentifiers(**row)


async def insert_pending_user(
    connection: Connection,
    user_id: UUID,
    wanted: RegistrationRequest,
    password: str | None,
    now: datetime,
) -> None:
    """Store a registration; `password` is a hash."""
    await connection.execute(
        users.INSERT_PENDING_USER,
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


async def add_handle(executor: Executor, hash_: bytes, registration: UUID, now: datetime) -> None:
    """Store the handle of a code that was sent for the registration, by its SHA-256."""
    await executor.execute(ADD_HANDLE, hash_, registration, now, now + REGISTRATION_LIFE)


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
    query = users.ACTIVATE_REGISTRATION[destination.channel]
    try:
        async with connection.transaction():
            row = await connection.fetchrow(query, selected.id, selected.keep_profile, conceals)
            await connection.execute(REMOVE_HANDLES, selected.id)
    except UniqueViolationError:
        return None
    return users.account_from_row(row) if row else None


async def remove_registrations(connection: Connection, registrations: list[UUID]) -> None:
    """Remove registrations whose address has an owner by now."""
    await connection.execute(users.REMOVE_REGISTRATIONS, registrations)
