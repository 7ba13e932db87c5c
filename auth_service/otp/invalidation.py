"""Cutting a user off from what is on its way to them, and from the devices that they know."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import structlog

from auth_service.device.service import KnownDevices
from auth_service.rate_limit.model import digest
from auth_service.user.model import User
from shared.clock import Clock, milliseconds
from shared.db import Connection, Database
from shared.errors import ServiceUnavailable
from shared.redis import BatchedRedis

LONGEST_LIFE_MS = 600_000
"""Longer lives no code, whatever `OTP_TTL` is here or was where the code was asked for."""
log = structlog.get_logger()


class CodeInvalidator:
    """Ends the life of codes, whatever they are for. Without Redis: `ServiceUnavailable`."""

    def __init__(self, redis: BatchedRedis, devices: KnownDevices, clock: Clock) -> None:
        """Note in `redis` from when on codes are void."""
        self._redis = redis
        self._devices = devices
        self._clock = clock

    @asynccontextmanager
    async def revoking(
        self,
        database: Database,
        user: User,
        *,
        forget_devices: bool = True,
        keep: bytes | None = None,
    ) -> AsyncIterator[Connection]:
        """Lend a connection in a transaction that cuts the user off, from outstanding codes too.

        Codes that are on their way to the user are made worthless just before the commit, and once
        more after it: one may have been asked for in between. With `forget_devices` no device but
        `keep` stays known. Where that fails after the commit it is logged. The transaction stored
        `codes_valid_from`, which keeps those codes out as well.

        Raises:
            ServiceUnavailable: Redis is away; nothing was changed.
        """
        async with database.transaction() as connection:
            yield connection
            await self.invalidate(user.challenged)
        try:
            await self.invalidate(user.challenged)
            if forget_devices:
                await self._devices.forget([str(user.id), *user.challenged], keep=keep)
        except ServiceUnavailable:
            log.warning("codes.invalidate_failed", user_id=str(user.id))

    async def end_names(self, names: Iterable[str]) -> None:
        """Cut off codes and devices from names that changed hands; log where Redis is away.

        A former holder's device must not count as known to the next holder.
        """
        ended = list(names)
        try:
            await self.invalidate(ended)
            await self._devices.forget(ended)
        except ServiceUnavailable:
            log.warning("codes.invalidate_failed")

    async def invalidate(self, addresses: Iterable[str]) -> None:
        """Make every code worthless that is on its way to one of these, whatever it is for."""
        now = milliseconds(self._clock.now())
        for address in addresses:
            await self._redis.execute("SET", void_key(address), now, "PX", LONGEST_LIFE_MS)


def void_key(address: str) -> str:
    """Return the key of the moment before which the codes for an address are void."""
    return f"void_before:{digest(address)}"
