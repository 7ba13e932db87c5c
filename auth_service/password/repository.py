"""Reset tickets of accounts."""

from dataclasses import dataclass
from datetime import datetime

from auth_service.session.repository import lock_user
from auth_service.token.repository import insert_token_sql
from auth_service.user.model import Account
from auth_service.user.repository import PREFIXED_COLUMNS, account_from_row
from shared.db import Database

_TICKET = insert_token_sql(
    "reset", "users", hash="$1", user_id="id", created_at="$2", expires_at="$3"
)

# Only while the account is as it was when its code was sent to that address.
ADD_TICKET = f"""
{_TICKET}
WHERE id = $4 AND status = 'active' AND generation = $5 AND password IS NOT DISTINCT FROM $6
  AND ((email = $7 AND email_verified) OR (phone_number = $7 AND phone_verified))
  AND ($8::timestamptz IS NULL OR codes_valid_from IS NULL OR codes_valid_from < $8)"""

FIND_TICKET = f"""
SELECT {PREFIXED_COLUMNS}, u.password FROM tokens t JOIN users u ON u.id = t.user_id
WHERE t.hash = $1 AND t.scope = 'reset' AND t.expires_at > $2"""


@dataclass(frozen=True, slots=True)
class ResetTicket:
    """A ticket to store. `to`: the address of its code, requested at `code_requested_at`."""

    hash: bytes
    to: str
    created_at: datetime
    expires_at: datetime
    code_requested_at: datetime | None


async def add_ticket(database: Database, account: Account, ticket: ResetTicket) -> bool:
    """Store a ticket; False when the account has changed since it was read.

    A concurrent change of the user either finishes first, or finds the ticket and removes it.
    """
    user, stored = account.user, (ticket.hash, ticket.created_at, ticket.expires_at)
    known = (user.id, user.generation, account.password, ticket.to, ticket.code_requested_at)
    async with database.transaction() as connection:
        await lock_user(connection, user.id)
        done: str = await connection.execute(ADD_TICKET, *stored, *known)
    return done == "INSERT 0 1"


async def find_ticket(database: Database, hash_: bytes, now: datetime) -> Account | None:
    """Return the account of an active ticket, which stays active."""
    row = await database.fetchrow(FIND_TICKET, hash_, now)
    return account_from_row(row) if row else None
