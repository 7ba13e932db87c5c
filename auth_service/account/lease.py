"""A lease per user, so that one export runs at a time in all replicas."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

from auth_service.account.errors import ExportInProgress
from shared.entropy import Entropy
from shared.errors import ServiceUnavailable
from shared.redis import BatchedRedis, Script, read_lua

LEASE_MS = 90_000
"""Longer than one batch takes. A replica that dies blocks its user for no longer than this."""
RETRY_SECONDS = 10
BATCHES_AT_ONCE = 2
HOLDER_BYTES = 16
EXTEND_OR_RELEASE = Script.from_sources(read_lua("auth_service.account", "lease.lua"))


@dataclass(frozen=True, slots=True)
class ExportLease:
    """The right to run a user's export; it expires unless it is renewed."""

    redis: BatchedRedis
    key: str
    holder: str

    async def renew(self) -> None:
        """Extend the lease to its full life.

        Raises:
            ServiceUnavailable: it has lapsed, or Redis is away.
        """
        if not await self.extend(LEASE_MS):
            raise ServiceUnavailable(detail="The export took too long between two batches")

    async def extend(self, life: int) -> bool:
        """Let the lease end `life` ms from now, 0: at once; return False if it has lapsed."""
        return bool(await self.redis.run(EXTEND_OR_RELEASE, [self.key], [self.holder, life]))


@dataclass(frozen=True, slots=True)
class ExportLeases:
    """Grants leases. `batch_slots` bounds the batches that all exports read at once.

    So exports use few of the database's connections, however many users export.
    """

    redis: BatchedRedis
    entropy: Entropy
    batch_slots: asyncio.Semaphore = field(
        init=False, default_factory=lambda: asyncio.Semaphore(BATCHES_AT_ONCE)
    )

    @asynccontextmanager
    async def lease(self, user_id: UUID) -> AsyncIterator[ExportLease]:
        """Hold the user's lease inside the block.

        Raises:
            ExportInProgress: another export of the user holds it.
            ServiceUnavailable: Redis is away.
        """
        lease = ExportLease(self.redis, f"export:{user_id}", self.entropy.bytes(HOLDER_BYTES).hex())
        life = ("PX", LEASE_MS)
        if not await self.redis.execute("SET", lease.key, lease.holder, "NX", *life):
            raise ExportInProgress(RETRY_SECONDS)
        try:
            yield lease
        finally:
            with suppress(ServiceUnavailable):  # without Redis it lapses by itself
                await lease.extend(0)
