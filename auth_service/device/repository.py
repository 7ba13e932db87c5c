"""The table `remembered_devices`, which is read and written under the user's lock.

So a sign-in in progress ends before its device is forgotten, or asks for the factor.
"""

from dataclasses import fields
from datetime import datetime
from uuid import UUID

from auth_service.audit.repository import insert_event_sql
from auth_service.device.model import RememberedDevice
from shared.db import Connection, Database

_FIELDS = ", ".join(field.name for field in fields(RememberedDevice))

REMEMBER = f"""
WITH device AS (
    INSERT INTO remembered_devices (id, user_id, device_id, user_agent, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (user_id, device_id) DO UPDATE
    SET id = excluded.id, user_agent = excluded.user_agent, created_at = excluded.created_at,
        expires_at = excluded.expires_at
    RETURNING 1
)
{insert_event_sql(7, "device")}"""

IS_REMEMBERED = """
SELECT EXISTS (
    SELECT 1 FROM remembered_devices
    WHERE user_id = $1 AND device_id = $2 AND expires_at > $3)"""

LIST = f"""
SELECT {_FIELDS} FROM remembered_devices WHERE user_id = $1 AND expires_at > $2 ORDER BY id"""

FORGET = f"""
WITH device AS (
    DELETE FROM remembered_devices WHERE user_id = $1 AND ($2::uuid IS NULL OR id = $2) RETURNING id
)
{insert_event_sql(3, "(SELECT 1 FROM device LIMIT 1) forgotten")}"""

FORGET_DEVICE_OF_SESSION = """
DELETE FROM remembered_devices d USING sessions s
WHERE s.id = $1 AND s.user_id = $2 AND d.user_id = $2 AND d.device_id = s.device_id"""

REMOVE_EXPIRED = """
DELETE FROM remembered_devices WHERE id IN (
    SELECT id FROM remembered_devices WHERE expires_at <= $1
    LIMIT $2 FOR UPDATE SKIP LOCKED)"""


async def forget_device_of_session(connection: Connection, session_id: UUID, user_id: UUID) -> None:
    """Forget the device of one of the locked user's sessions, if it is remembered."""
    await connection.execute(FORGET_DEVICE_OF_SESSION, session_id, user_id)


def forget_devices_sql(user: str = "$1") -> str:
    """Return the statement that forgets every device of the locked user.

    No time is compared: clocks differ, and a time is read before the lock is held. So a comparison
    could miss a device that was remembered before.
    """
    return f"DELETE FROM remembered_devices WHERE user_id = {user}"


async def remember_device(
    connection: Connection,
    user_id: UUID,
    device: RememberedDevice,
    device_id: bytes,
    *,
    event_json: str,
) -> None:
    """Store that the device signs in without the factor until it expires."""
    times = (device.created_at, device.expires_at)
    await connection.execute(
        REMEMBER, device.id, user_id, device_id, device.user_agent, *times, event_json
    )


async def is_remembered(
    connection: Connection, user_id: UUID, device: bytes | None, now: datetime
) -> bool:
    """Return whether the device is remembered: its sign-ins need no factor."""
    return bool(await connection.fetchval(IS_REMEMBERED, user_id, device, now))


async def list_devices(database: Database, user_id: UUID, now: datetime) -> list[RememberedDevice]:
    """Return the user's remembered devices, the oldest first."""
    return [RememberedDevice(**row) for row in await database.fetch(LIST, user_id, now)]


async def forget(
    connection: Connection, user_id: UUID, remembered_id: UUID | None, *, event_json: str
) -> bool:
    """Forget one of the locked user's devices, or all of them; return whether there was any."""
    status: str = await connection.execute(FORGET, user_id, remembered_id, event_json)
    return status == "INSERT 0 1"
