"""Storing a session with its first refresh token and the event that tells of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auth_service.audit.repository import appending
from auth_service.session.model import Device, Session
from auth_service.session.repository import PREFIXED_SESSION, session_of
from auth_service.user.model import Account, User
from auth_service.user.repository import PREFIXED, user_of
from shared.db import Connection

# Nothing comes back when status, generation or password are not any more what was read with the
# credential: whatever changed them has won. Who changes them locks the user's row first.
OPEN = f"""
WITH u AS (
    UPDATE users SET last_login_at = $4
    WHERE id = $1 AND status = 'active' AND generation = $2 AND password IS NOT DISTINCT FROM $3
    RETURNING *
), known AS (
    SELECT EXISTS (
        SELECT 1 FROM sessions x
        WHERE x.user_id = $1 AND x.user_agent IS NOT DISTINCT FROM $6) AS device
), s AS (
    INSERT INTO sessions (id, user_id, user_agent, ip, amr, auth_time, created_at, last_used_at,
                          expires_at)
    SELECT $5, u.id, $6, $7, $8, $4, $4, $4, $9 FROM u
    RETURNING *
), t AS (
    INSERT INTO tokens (hash, scope, user_id, session_id, created_at, expires_at)
    SELECT $10, 'refresh', s.user_id, s.id, $4, $11 FROM s
), event AS (
    {appending(12, "u JOIN s ON s.user_id = u.id", user_id="u.id", session_id="s.id")}
)
SELECT known.device AS known_device, {PREFIXED}, {PREFIXED_SESSION}
FROM known, u JOIN s ON s.user_id = u.id"""


@dataclass(frozen=True, slots=True)
class NewSession:
    """What is to be stored when somebody signs in."""

    id: UUID
    device: Device
    amr: tuple[str, ...]
    now: datetime
    ends: datetime
    refresh_hash: bytes
    refresh_ends: datetime
    event: str


@dataclass(frozen=True, slots=True)
class Opened:
    """What was stored. `known_device`: the user signed in with this user agent before."""

    user: User
    session: Session
    known_device: bool


async def open_session(connection: Connection, account: Account, new: NewSession) -> Opened | None:
    """Store a session of the user with its first refresh token and its event.

    None when the account is not any more as it was read, or may not be signed in.
    """
    row = await connection.fetchrow(
        OPEN,
        account.user.id,
        account.user.generation,
        account.password,
        new.now,
        new.id,
        new.device.user_agent,
        new.device.address,
        list(new.amr),
        new.ends,
        new.refresh_hash,
        new.refresh_ends,
        new.event,
    )
    return Opened(user_of(row), session_of(row), row["known_device"]) if row else None
