"""Looking accounts up: by an address, a username or an id."""

from dataclasses import dataclass
from uuid import UUID

from auth_service.user.model import Account, AccountLookup, IdentifierKind
from auth_service.user.repository import find_account, look_up_account
from shared.clock import Clock
from shared.db import Database


@dataclass(frozen=True, slots=True)
class AccountDirectory:
    """Reads accounts, each in a connection of its own."""

    database: Database
    clock: Clock

    async def look_up(self, kind: IdentifierKind, value: str) -> AccountLookup:
        """Return the accounts with an address or a username."""
        async with self.database.connection() as connection:
            return await look_up_account(connection, kind, value, self.clock.now())

    async def find(self, user_id: UUID) -> Account | None:
        """Return the account with the id, None without one."""
        async with self.database.connection() as connection:
            return await find_account(connection, user_id)
