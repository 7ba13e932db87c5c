"""Rate limits of passwords: by name and client, by session, by client alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from auth_service.client import Client
from auth_service.device.service import KnownDevices
from auth_service.password.hasher import Hasher
from auth_service.password.model import AccountIdentifier
from auth_service.rate_limit.model import login_scopes, own_password_scopes
from auth_service.rate_limit.service import RateLimiter, Refund
from auth_service.session.model import Caller
from auth_service.settings import AuthSettings


@dataclass(frozen=True, slots=True)
class PasswordAttempts:
    """Counts a password before it is checked or hashed; see `RateLimiter.attempt`.

    Raises `RateLimited` when a limit is full, and `ServiceUnavailable` without Redis.
    """

    rate_limiter: RateLimiter
    devices: KnownDevices
    settings: AuthSettings
    hasher: Hasher

    @asynccontextmanager
    async def login(self, identifier: AccountIdentifier, client: Client) -> AsyncIterator[Refund]:
        """Count a password for an account's identifier; yields the refund for a right one."""
        is_known_device = await self.devices.is_known(identifier.destination.address, client.device)
        name = f"{identifier.kind}:{identifier.value.lower()}"
        scopes = login_scopes(self.settings, name, client, is_known_device=is_known_device)
        async with self.rate_limiter.attempt(scopes) as refund:
            yield refund

    @asynccontextmanager
    async def count_own_password(self, caller: Caller) -> AsyncIterator[Refund]:
        """Count a signed-in user's own password; yields the refund for a right one."""
        scopes = own_password_scopes(self.settings, caller.session_id)
        async with self.rate_limiter.attempt(scopes) as refund:
            yield refund

    async def hash_new(self, password: str, client: Client) -> str:
        """Count a new password and return its hash, which costs as much as verifying one."""
        _, per_client = login_scopes(self.settings, "", client)
        async with self.rate_limiter.attempt([per_client]):
            return await self.hasher.hash(password, client.network)
