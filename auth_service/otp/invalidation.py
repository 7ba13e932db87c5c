"""Invalidating a user's outstanding codes and known devices."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from auth_service.device.service import KnownDevices
from auth_service.rate_limit.model import key_digest
from auth_service.user.model import User
from shared.clock import Clock, milliseconds
from shared.db import Connection, Database
from shared.errors import ServiceUnavailable
from shared.redis import BatchedRedis

MAX_LIFETIME_MS = 600_000
"""The longest life of a code, whatever `OTP_TTL` is here or in another replica."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CodeInvalidator:
    """Invalidates codes of every purpose, and forgets known devices.

    Without Redis: `ServiceUnavailable`.
    """

    database: Database
    redis: BatchedRedis
    devices: KnownDevices
    clock: Clock

    @asynccontextmanager
    async def revocation_transaction(
        self, user: User, *, forget_devices: bool = True, keep: bytes | None = None
    ) -> AsyncIterator[Connection]:
        """Open a transaction that revokes the user's access, outstanding codes included.

        The user's codes are invalidated just before the commit, and again after it: one may have
        been requested in between. With `forget_devices` only the device `keep` stays known. A
        failure after the commit is logged: `codes_valid_from`, stored by the transaction, keeps
        those codes out as well.

        Raises:
            ServiceUnavailable: Redis is away; nothing was changed.
        """
        async with self.database.transaction() as connection:
            yield connection
            await self.invalidate(user.code_identifiers)
        try:
            await self.invalidate(user.code_identifiers)
            if forget_devices:
                await self.devices.forget([str(user.id), *user.code_identifiers], keep=keep)
        except ServiceUnavailable:
            log.warning("codes.invalidate_failed", user_id=str(user.id))

    async def invalidate_and_forget_devices(self, names: Iterable[str]) -> None:
        """Invalidate codes and devices of names that changed owner; log an error of Redis.

        A former owner's device must not count as known to the next owner.
        """
        ended = list(names)
        try:
            await self.invalidate(ended)
            await self.devices.forget(ended)
        except ServiceUnavailable:
            log.warning("codes.invalidate_failed")

    async def invalidate(self, addresses: Iterable[str]) -> None:
        """Invalidate every outstanding code for these addresses, whatever its purpose."""
        now = milliseconds(self.clock.now())
        for address in addresses:
            await self.redis.execute(
                "SET", invalidated_before_key(address), now, "PX", MAX_LIFETIME_MS
            )


def invalidated_before_key(address: str) -> str:
    """Return the key of the time before which an address' codes are invalid."""
    return f"void_before:{key_digest(address)}"
