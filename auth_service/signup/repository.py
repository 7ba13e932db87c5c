"""Writing the user, the session and its first refresh token of the combined flow."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auth_service.audit.repository import appending
from auth_service.session.model import Device, Session
from auth_service.session.repository import PREFIXED_SESSION, session_of
from auth_service.user.model import User
from auth_service.user.repository import PREFIXED, user_of
from shared.db import Database

EVENT = "CASE WHEN u.is_new THEN 'user.signed_up' ELSE 'user.signed_in' END"

# All or nothing: the user who holds the number or a new one, a session, its refresh token, and the
# event that tells of it.
# No row comes back when somebody else created the holder meanwhile: asked again, it is found.
SIGN_IN = f"""
WITH holder AS (
    SELECT id FROM users WHERE phone_number = $1 AND phone_verified
), known AS (
    SELECT EXISTS (
        SELECT 1 FROM sessions x JOIN holder ON x.user_id = holder.id
        WHERE x.user_agent IS NOT DISTINCT FROM $6) AS device
), seen AS (
    UPDATE users SET last_login_at = $4
    WHERE id = (SELECT id FROM holder) AND status = 'active'
    RETURNING *
), created AS (
    INSERT INTO users (id, name, phone_number, phone_verified, status, last_login_at, created_at)
    SELECT $2, $3, $1, true, 'active', $4, $4 WHERE NOT EXISTS (SELECT 1 FROM holder)
    ON CONFLICT (phone_number) WHERE phone_verified DO NOTHING
    RETURNING *
), u AS (
    SELECT *, false AS is_new FROM seen UNION ALL SELECT *, true FROM created
), s AS (
    INSERT INTO sessions (id, user_id, user_agent, ip, amr, auth_time, created_at, last_used_at,
                          expires_at)
    SELECT $5, u.id, $6, $7, $8, $4, $4, $4, $9 FROM u
    RETURNING *
), t AS (
    INSERT INTO tokens (hash, scope, user_id, session_id, created_at, expires_at)
    SELECT $10, 'refresh', s.user_id, s.id, $4, $11 FROM s
), event AS (
    {appending(12, "u JOIN s ON s.user_id = u.id", user_id="u.id", session_id="s.id", event=EVENT)}
)
SELECT u.is_new, known.device AS known_device, {PREFIXED}, {PREFIXED_SESSION}
FROM known, u JOIN s ON s.user_id = u.id"""

IS_DISABLED = """
SELECT EXISTS (
    SELECT 1 FROM users WHERE phone_number = $1 AND phone_verified AND status = 'disabled')"""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be stored when a phone number was proven."""

    phone_number: str
    new_user_id: UUID
    name: str
    session_id: UUID
    device: Device
    amr: tuple[str, ...]
    refresh_hash: bytes
    now: datetime
    session_ends: datetime
    refresh_ends: datetime
    event: str


@dataclass(frozen=True, slots=True)
class Entered:
    """What was stored. `known_device`: the user signed in with this user agent before."""

    user: User
    session: Session
    is_new: bool
    known_device: bool


async def sign_in(database: Database, entry: Entry) -> Entered | None:
    """Store user, session and refresh token.

    None when the holder is not active, or was created by somebody else at this moment.
    """
    async with database.connection() as connection:
        row = await connection.fetchrow(
            SIGN_IN,
            entry.phone_number,
            entry.new_user_id,
            entry.name,
            entry.now,
            entry.session_id,
            entry.device.user_agent,
            entry.device.address,
            list(entry.amr),
            entry.session_ends,
            entry.refresh_hash,
            entry.refresh_ends,
            entry.event,
        )
    if row is None:
        return None
    return Entered(user_of(row), session_of(row), row["is_new"], row["known_device"])


async def is_disabled(database: Database, phone_number: str) -> bool:
    """Tell whether the number's holder may not be signed in."""
    async with database.connection() as connection:
        return bool(await connection.fetchval(IS_DISABLED, phone_number))
