"""The table `tokens`: refresh tokens, tickets and registration handles, by their hashes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.db import Connection, Database, Executor

Scope = Literal["refresh", "reset", "registration", "mfa", "mfa_enrolment"]
TicketScope = Literal["reset", "mfa", "mfa_enrolment"]

MAX_RECORDED_REFUSALS = 5
"""Of one ticket: its holder could otherwise fill the audit trail."""

CONSUME_TICKET = "DELETE FROM tokens WHERE hash = $1 AND scope = $2 AND expires_at > $3"

REMOVE_TICKETS = """
DELETE FROM tokens WHERE user_id = $1 AND scope IN ('reset', 'mfa', 'mfa_enrolment')"""

FIND_TICKET = """
SELECT user_id, amr FROM tokens
WHERE hash = $1 AND scope = $2 AND expires_at > $3 AND (device_id IS NULL OR device_id = $4)"""

ADD_AMR = """
UPDATE tokens SET amr = amr || $2::text[] WHERE hash = $1 AND scope = 'mfa_enrolment'"""

# A ticket that names a device is of use to that device alone; another one does not use up its
# tries. The try is counted before its outcome is known, so that concurrent ones all count.
COUNT_TRY = """
UPDATE tokens SET tries = tries + 1
WHERE hash = $1 AND scope = 'mfa' AND expires_at > $2 AND tries < $3
  AND (device_id IS NULL OR device_id = $4)
RETURNING user_id, amr"""

REFUND_TRY = "UPDATE tokens SET tries = tries - 1 WHERE hash = $1 AND scope = 'mfa' AND tries > 0"

REMOVE_HANDLES = "DELETE FROM tokens WHERE user_id = $1 AND scope = 'registration'"

# Refresh tokens go with their sessions. Rows that another replica is removing are skipped.
REMOVE_EXPIRED = """
DELETE FROM tokens WHERE hash IN (
    SELECT hash FROM tokens WHERE scope <> 'refresh' AND expires_at <= $1
    ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)"""


@dataclass(frozen=True, slots=True)
class TicketHolder:
    """The user of a ticket, and the methods (`amr`) that the sign-in has proven so far."""

    user_id: UUID
    amr: tuple[str, ...]


def insert_token_sql(scope: Scope, source: str = "", **columns: str) -> str:
    """Return the statement that stores a token for each row of `source`, or one without it.

    `columns`: the values as SQL, such as `hash="$1"`.
    """
    values = ", ".join([f"'{scope}'", *columns.values()])
    rows = f"SELECT {values} FROM {source}" if source else f"VALUES ({values})"
    return f"INSERT INTO tokens (scope, {', '.join(columns)}) {rows}"


def mark_used_sql(hash_: str, successor: str, now: str) -> str:
    """Return the statement that stores when a refresh token was exchanged, and for which one."""
    return f"UPDATE tokens SET used_at = {now}, successor_hash = {successor} WHERE hash = {hash_}"


def count_refusal_sql(hash_: str) -> str:
    """Return the statement that counts a refusal of a ticket, and returns its user.

    No row for an unknown ticket, or after `MAX_RECORDED_REFUSALS`.
    """
    return f"""
    UPDATE tokens SET refusals = refusals + 1
    WHERE hash = {hash_} AND scope IN ('mfa', 'mfa_enrolment')
      AND refusals < {MAX_RECORDED_REFUSALS}
    RETURNING user_id"""


async def consume_ticket(
    connection: Connection, scope: TicketScope, hash_: bytes, now: datetime
) -> bool:
    """Consume a ticket of that scope; of concurrent calls one returns True."""
    done: str = await connection.execute(CONSUME_TICKET, hash_, scope, now)
    return done == "DELETE 1"


async def count_ticket_try(
    executor: Executor, hash_: bytes, device: bytes | None, most: int, now: datetime
) -> TicketHolder | None:
    """Count a try of a second factor; return the holder of the ticket.

    None for an unknown or expired ticket, another device's, or after `most` tries.
    """
    row = await executor.fetchrow(COUNT_TRY, hash_, now, most, device)
    return TicketHolder(row["user_id"], tuple(row["amr"])) if row else None


async def refund_ticket_try(executor: Executor, hash_: bytes) -> None:
    """Take back a try, because its proof could not be checked."""
    await executor.execute(REFUND_TRY, hash_)


async def find_ticket(
    database: Database, scope: TicketScope, hash_: bytes, device: bytes | None, now: datetime
) -> TicketHolder | None:
    """Return the holder of a ticket of that scope.

    None for an unknown, used or expired ticket, or another device's.
    """
    row = await database.fetchrow(FIND_TICKET, hash_, scope, now, device)
    return TicketHolder(row["user_id"], tuple(row["amr"])) if row else None


async def add_ticket_amr(database: Database, hash_: bytes, amr: tuple[str, ...]) -> None:
    """Store the further methods that the holder of an enrolment ticket has proven."""
    await database.execute(ADD_AMR, hash_, list(amr))


async def remove_tickets(connection: Connection, user_id: UUID) -> None:
    """Remove every ticket of the user."""
    await connection.execute(REMOVE_TICKETS, user_id)
