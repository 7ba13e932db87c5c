"""The table `factors`, and the effects of a change on the user and the sessions."""

from dataclasses import fields
from datetime import datetime
from uuid import UUID

from auth_service.audit.repository import insert_event_sql
from auth_service.device.repository import forget_devices_sql
from auth_service.event.repository import audited_at_sql, factor_rows_sql, record_events_sql
from auth_service.factor.model import MAX_TOTP, PENDING_LIFE, Factor, SealedTotp, TotpUse
from auth_service.factor.recovery.repository import REMOVE_CODES
from auth_service.passkey.model import MAX_PASSKEYS, NewPasskey, PasskeyUse
from auth_service.passkey.repository import STORE_STATE, insert_passkey_sql
from auth_service.session.model import MFA, Caller
from auth_service.session.repository import record_authentication_sql, remove_method_sql
from auth_service.token.repository import count_refusal_sql
from auth_service.user.model import User
from auth_service.user.repository import PREFIXED_COLUMNS, set_factor_kinds_sql, user_from_row
from shared.db import Connection, Database

_STORED = ", ".join(field.name for field in fields(Factor) if field.name != "backed_up")
_FIELDS = f"{_STORED}, (SELECT backed_up FROM passkeys WHERE factor_id = id) AS backed_up"

# One factor is pending at a time: a newer one replaces it. A user at the cap gets none.
INSERT_PENDING = f"""
INSERT INTO factors (id, user_id, kind, name, secret, created_at)
SELECT $1, $2, 'totp', $3, $4, $5
WHERE (SELECT count(*) FROM factors
       WHERE user_id = $2 AND kind = 'totp' AND confirmed_at IS NOT NULL) < {MAX_TOTP}
ON CONFLICT (user_id) WHERE confirmed_at IS NULL DO UPDATE
SET id = excluded.id, name = excluded.name, secret = excluded.secret,
    created_at = excluded.created_at"""

FIND_PENDING = """
SELECT id, secret, last_step FROM factors
WHERE id = $1 AND user_id = $2 AND confirmed_at IS NULL AND created_at > $3"""

CONFIRM = f"""
WITH confirmed AS (
    UPDATE factors SET confirmed_at = $3, last_used_at = $3, last_step = $4
    WHERE id = $1 AND user_id = $2 AND confirmed_at IS NULL
    RETURNING *
), event AS (
    {insert_event_sql(5, "confirmed")}
), published AS (
    {record_events_sql(factor_rows_sql("factor.added", "confirmed", "confirmed_at"))}
)
SELECT {_FIELDS} FROM confirmed"""

_BELOW_CAP = f"""
(SELECT count(*) FROM factors WHERE user_id = $2 AND kind = 'passkey') < {MAX_PASSKEYS}"""
_NEW_PASSKEY = insert_passkey_sql(
    "$1::uuid",
    _BELOW_CAP,
    credential_id="$5::bytea",
    public_key="$6::bytea",
    sign_count="$7::bigint",
    transports="$8::text[]",
    backup_eligible="$9::boolean",
    backed_up="$10::boolean",
)

# The rows refer to each other at the end of the statement alone.
INSERT_PASSKEY = f"""
WITH passkey AS (
    {_NEW_PASSKEY}
), added AS (
    INSERT INTO factors (id, user_id, kind, name, created_at, confirmed_at, last_used_at)
    SELECT factor_id, $2, 'passkey', $3, $4, $4, $4 FROM passkey
    RETURNING *
), event AS (
    {insert_event_sql(11, "added")}
), published AS (
    {record_events_sql(factor_rows_sql("factor.added", "added", "confirmed_at"))}
)
SELECT {_STORED}, passkey.backed_up FROM added, passkey"""

LIST = f"""
SELECT {_FIELDS} FROM factors WHERE user_id = $1 AND confirmed_at IS NOT NULL ORDER BY id"""

RENAME = f"""
WITH renamed AS (
    UPDATE factors SET name = $3 WHERE id = $1 AND user_id = $2 AND confirmed_at IS NOT NULL
    RETURNING {_STORED}
), event AS (
    {insert_event_sql(4, "renamed")}
)
SELECT {_FIELDS} FROM renamed"""

REMOVE = f"""
WITH removed AS (
    DELETE FROM factors WHERE id = $1 AND user_id = $2 AND confirmed_at IS NOT NULL
    RETURNING *
), event AS (
    {insert_event_sql(3, "removed")}
)
{record_events_sql(factor_rows_sql("factor.removed", "removed", audited_at_sql(3)))}"""

LIST_TOTP = """
SELECT id, secret, last_step FROM factors
WHERE user_id = $1 AND kind = 'totp' AND confirmed_at IS NOT NULL"""

# Of all uses of one code, at whatever time, one gets a row.
USE_TOTP = """
UPDATE factors SET last_step = $2, last_used_at = $3, secret = $4
WHERE id = $1 AND last_step < $2 AND confirmed_at IS NOT NULL"""

USE_PASSKEY = f"""
WITH used AS (
    {STORE_STATE}
)
UPDATE factors SET last_used_at = $5 FROM used WHERE factors.id = used.factor_id"""

LIST_TOTP_AFTER = """
SELECT id, secret, last_step FROM factors WHERE id > $1 AND kind = 'totp' ORDER BY id LIMIT $2"""

# A code that is used meanwhile has sealed the secret anew by itself.
RESEAL = "UPDATE factors SET secret = $3 WHERE id = $1 AND secret = $2"

# A sign-in locks the user too, so it sees the factors before or after a change.
LOCK_USER = f"""
SELECT {PREFIXED_COLUMNS} FROM users u
WHERE u.id = $1 AND u.status = 'active' AND u.generation = $2 FOR NO KEY UPDATE"""

_KINDS = """ARRAY(SELECT DISTINCT kind FROM factors
    WHERE user_id = $1 AND confirmed_at IS NOT NULL ORDER BY kind)"""
STORE_KINDS = f"{set_factor_kinds_sql(_KINDS)} RETURNING factor_kinds"

RECORD_AUTHENTICATION = f"""
{record_authentication_sql("$3", "$4")}
WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL"""

RECORD_REFUSED_TICKET = f"""
WITH ticket AS (
    {count_refusal_sql("$1")}
)
{insert_event_sql(2, "ticket", user_id="ticket.user_id")}"""

REMOVE_ALL = f"""
WITH removed AS (
    DELETE FROM factors WHERE user_id = $1 RETURNING *
)
{record_events_sql(factor_rows_sql("factor.removed", "removed", "$2::timestamptz"))}"""

REMOVE_MFA = remove_method_sql(f"'{MFA}'")

REMOVE_UNCONFIRMED = """
DELETE FROM factors WHERE id IN (
    SELECT id FROM factors WHERE confirmed_at IS NULL AND created_at <= $1
    LIMIT $2 FOR UPDATE SKIP LOCKED)"""


async def insert_pending(
    database: Database, user_id: UUID, factor: SealedTotp, name: str, now: datetime
) -> bool:
    """Store a pending factor in place of another; False for a user at the cap."""
    status: str = await database.execute(
        INSERT_PENDING, factor.id, user_id, name, factor.secret, now
    )
    return status == "INSERT 0 1"


async def find_pending(
    database: Database, factor_id: UUID, user_id: UUID, now: datetime
) -> SealedTotp | None:
    """Return the user's factor with that id if it can still be confirmed."""
    row = await database.fetchrow(FIND_PENDING, factor_id, user_id, now - PENDING_LIFE)
    return SealedTotp(**row) if row else None


async def lock_user(connection: Connection, user: User) -> User | None:
    """Return the user as stored now, locked; None for a user who was disabled or signed out."""
    row = await connection.fetchrow(LOCK_USER, user.id, user.generation)
    return user_from_row(row) if row else None


async def confirm(
    connection: Connection, use: TotpUse, user_id: UUID, now: datetime, *, event_json: str
) -> Factor | None:
    """Confirm a pending factor of the locked user; None when it is not pending any more.

    The code that confirmed it is used.
    """
    row = await connection.fetchrow(CONFIRM, use.factor_id, user_id, now, use.step, event_json)
    return Factor(**row) if row else None


async def insert_passkey(
    connection: Connection, factor: Factor, user_id: UUID, new: NewPasskey, *, event_json: str
) -> Factor | None:
    """Store a passkey of the locked user; None if it is registered or the user is at the cap."""
    row = await connection.fetchrow(
        INSERT_PASSKEY,
        factor.id,
        user_id,
        factor.name,
        factor.created_at,
        new.credential_id,
        new.public_key,
        new.state.sign_count,
        list(new.transports),
        new.state.backup_eligible,
        new.state.backed_up,
        event_json,
    )
    return Factor(**row) if row else None


async def record_authentication(
    connection: Connection, caller: Caller, amr: tuple[str, ...], now: datetime
) -> None:
    """Store that the caller's session has just proven a factor."""
    await connection.execute(
        RECORD_AUTHENTICATION, caller.session_id, caller.user.id, now, list(amr)
    )


async def record_refused_ticket(database: Database, ticket_hash: bytes, *, event_json: str) -> None:
    """Store the event for the user of a ticket, a few times for each ticket."""
    await database.execute(RECORD_REFUSED_TICKET, ticket_hash, event_json)


async def list_factors(database: Database, user_id: UUID) -> list[Factor]:
    """Return the user's confirmed factors, the oldest first."""
    return [Factor(**row) for row in await database.fetch(LIST, user_id)]


async def rename(
    connection: Connection, factor_id: UUID, user_id: UUID, name: str, *, event_json: str
) -> Factor | None:
    """Store another name; None when the user has no such factor."""
    row = await connection.fetchrow(RENAME, factor_id, user_id, name, event_json)
    return Factor(**row) if row else None


async def remove(
    connection: Connection, factor_id: UUID, user_id: UUID, *, event_json: str
) -> bool:
    """Remove a factor, and `mfa` from the user's sessions; False if the user has no such factor."""
    status: str = await connection.execute(REMOVE, factor_id, user_id, event_json)
    if status == "INSERT 0 0":
        return False
    await connection.execute(REMOVE_MFA, user_id)
    return True


async def remove_all(connection: Connection, user_id: UUID, now: datetime) -> None:
    """Remove every factor of the locked user, pending ones too, and `mfa` from the sessions."""
    await connection.execute(REMOVE_ALL, user_id, now)
    await connection.execute(REMOVE_MFA, user_id)


async def store_kinds(connection: Connection, user_id: UUID) -> None:
    """Store the kinds of the locked user's factors in the user's row.

    Without a factor, remove the recovery codes and the remembered devices too.
    """
    kinds = await connection.fetchval(STORE_KINDS, user_id)
    if not kinds:
        await connection.execute(REMOVE_CODES, user_id)
        await connection.execute(forget_devices_sql(), user_id)


async def list_totp(database: Database, user_id: UUID) -> list[SealedTotp]:
    """Return the user's confirmed authenticators."""
    return [SealedTotp(**row) for row in await database.fetch(LIST_TOTP, user_id)]


async def list_totp_after(database: Database, after: UUID, limit: int) -> list[SealedTotp]:
    """Return the next authenticators of all users, by id."""
    return [SealedTotp(**row) for row in await database.fetch(LIST_TOTP_AFTER, after, limit)]


async def replace_secret(database: Database, factor: SealedTotp, fresh: bytes) -> bool:
    """Store the secret sealed anew; False when another seal was stored since it was read."""
    status: str = await database.execute(RESEAL, factor.id, factor.secret, fresh)
    return status == "UPDATE 1"


async def use_totp(connection: Connection, use: TotpUse, now: datetime) -> bool:
    """Use a code; of concurrent calls one returns True."""
    status: str = await connection.execute(USE_TOTP, use.factor_id, use.step, now, use.secret)
    return status == "UPDATE 1"


async def use_passkey(connection: Connection, use: PasskeyUse, now: datetime) -> bool:
    """Store the authenticator's state; False when its counter was used meanwhile.

    The transaction has locked the user, so it waits for a removal.
    """
    state = use.state
    status: str = await connection.execute(
        USE_PASSKEY,
        use.credential_id,
        state.sign_count,
        state.backup_eligible,
        state.backed_up,
        now,
    )
    return status == "UPDATE 1"
