"""Looking accounts up: by an address, a username or an id."""

from dataclasses import dataclass
from uuid import UUID

from auth_service.user.model import Account, AccountLookup, IdentifierKind
from auth_service.user.repository import find_account, look_up_account
from shared.clock import Clock
from shared.db import Database


@dataclass(frozen=True, slots=True)
class AccountReader:
    """Reads accounts."""

    database: Database
    clock: Clock

    async def look_up(self, kind: IdentifierKind, value: str) -> AccountLookup:
        """Return the accounts with an address or a username."""
        return await look_up_account(self.database, kind, value, self.clock.now())

    async def find(self, user_id: UUID) -> Account | None:
        """Return the account with the id, None without one."""
        return await find_account(self.database, user_id)
