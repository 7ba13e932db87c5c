"""Checking an account's password, and replacing an outdated hash of it."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from auth_service.password.hasher import Hasher, Network
from auth_service.user.model import Account
from auth_service.user.repository import replace_password_hash
from shared.db import Database
from shared.errors import ServiceUnavailable

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PasswordVerifier:
    """Compares passwords with accounts. `ServiceUnavailable`: too many are being checked."""

    database: Database
    hasher: Hasher

    @property
    def minimum_seconds(self) -> float:
        """Return how long a sign-in by password takes at least."""
        return self.hasher.minimum_seconds

    async def verify(
        self,
        password: str,
        account: Account | None,
        network: Network,
        *,
        after_wait: Callable[[], None] = lambda: None,
    ) -> bool:
        """Return whether it is the account's password; the time is the same without an account."""
        stored = account.password if account else None
        return await self.hasher.verify(password, stored, network, after_wait=after_wait)

    async def rehash_if_outdated(self, account: Account, password: str, network: Network) -> None:
        """Replace a hash with outdated parameters; try again at the next sign-in if that fails."""
        if account.password is None or not self.hasher.needs_rehash(account.password):
            return
        try:
            fresh = await self.hasher.hash(password, network)
            await replace_password_hash(self.database, account, fresh)
        except ServiceUnavailable:
            log.warning("password.rehash_deferred", user_id=str(account.user.id))
