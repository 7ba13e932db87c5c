"""The table `tokens`: refresh tokens, reset tickets and registration handles, by their hashes."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.db import Connection

CONSUME_TICKET = "DELETE FROM tokens WHERE hash = $1 AND scope = 'reset' AND expires_at > $2"

REMOVE_TICKETS = "DELETE FROM tokens WHERE user_id = $1 AND scope = 'reset'"

REMOVE_HANDLES = "DELETE FROM tokens WHERE user_id = $1 AND scope = 'registration'"

# Refresh tokens go with their sessions. Rows that another replica is removing are skipped.
REMOVE_EXPIRED = """
DELETE FROM tokens WHERE hash IN (
    SELECT hash FROM tokens WHERE scope <> 'refresh' AND expires_at <= $1
    ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)"""


def insert_token_sql(
    scope: Literal["refresh", "reset", "registration"], source: str = "", **columns: str
) -> str:
    """Return the statement that stores a token for each row of `source`, or one without it.

    `columns`: the values as SQL, such as `hash="$1"`.
    """
    values = ", ".join([f"'{scope}'", *columns.values()])
    rows = f"SELECT {values} FROM {source}" if source else f"VALUES ({values})"
    return f"INSERT INTO tokens (scope, {', '.join(columns)}) {rows}"


def mark_used_sql(hash_: str, successor: str, now: str) -> str:
    """Return the statement that stores when a refresh token was exchanged, and for which one."""
    return f"UPDATE tokens SET used_at = {now}, successor_hash = {successor} WHERE hash = {hash_}"


async def consume_ticket(connection: Connection, hash_: bytes, now: datetime) -> bool:
    """Consume a reset ticket; of concurrent calls one returns True."""
    done: str = await connection.execute(CONSUME_TICKET, hash_, now)
    return done == "DELETE 1"


async def remove_tickets(connection: Connection, user_id: UUID) -> None:
    """Remove every reset ticket of the user."""
    await connection.execute(REMOVE_TICKETS, user_id)
