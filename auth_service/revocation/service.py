"""The publisher: what PostgreSQL says is cut off reaches every mirror, at once or soon after."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from auth_service.revocation import repository
from auth_service.revocation.errors import RevocationPending
from auth_service.revocation.repository import StoredRevocation
from shared.clock import Clock
from shared.db import Database
from shared.entropy import Entropy
from shared.errors import ServiceUnavailable
from shared.redis import BatchedRedis, Script, lua
from shared.revocation.message import CHANNEL, HEAD, LOG, encode

PUBLISH_SECONDS = 0.5
KEEP_IN_LOG = timedelta(minutes=15)
IN_FLIGHT = timedelta(seconds=1)
SEED_PAGE = 500
PUBLISH = Script.of(lua("auth_service.revocation", "publish.lua"))
BEGIN_EPOCH = Script.of(lua("auth_service.revocation", "begin_epoch.lua"))
log = structlog.get_logger()


class EpochGoneError(Exception):
    """Redis has no epoch, or another one: it was wiped, or has never been filled."""


class Publisher:
    """Publishes revocation rows that are committed; never the other way round."""

    def __init__(
        self,
        database: Database,
        redis: BatchedRedis,
        keys: Sequence[bytes],
        *,
        clock: Clock,
        entropy: Entropy,
        token_life: timedelta,
    ) -> None:
        """`keys`: the first one signs. `token_life`: the longest life of an access token."""
        self._database = database
        self._redis = redis
        self._keys = keys
        self._clock = clock
        self._entropy = entropy
        self._log_life_ms = int((token_life + KEEP_IN_LOG).total_seconds() * 1000)
        self._epoch = ""

    async def publish_for(self, user_id: UUID) -> None:
        """Publish what is revoked of a user, and return once every service has been told.

        Raises:
            RevocationPending: not within half a second; the rows are committed, and `maintain`
                will publish them.
        """
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                await self._publish(await repository.pending_of_user(self._database, user_id))
        except (TimeoutError, ServiceUnavailable, EpochGoneError) as away:
            raise RevocationPending from away

    async def maintain(self) -> None:
        """Publish what is still pending; fill a Redis that has forgotten everything."""
        if await self._epoch_lost() and not await self._begin_epoch():
            return  # another replica is at it
        pending = await repository.pending_before(self._database, self._clock.now() - IN_FLIGHT)
        if pending:
            await self._publish(pending)
            log.info("revocations.published_late", count=len(pending))

    async def _publish(self, rows: Sequence[StoredRevocation]) -> None:
        if not rows:
            return
        try:
            await self._append(rows)
        except EpochGoneError:
            await self._learn_epoch()
            await self._append(rows)
        async with self._database.connection() as connection:
            await repository.mark_published(connection, rows, self._clock.now())

    async def _append(self, rows: Sequence[StoredRevocation]) -> None:
        """Append each row, all of them in one round trip."""
        calls = [
            self._redis.run(
                PUBLISH,
                [LOG, HEAD],
                [self._epoch, self._message(row, self._epoch), self._log_life_ms, CHANNEL],
            )
            for row in rows
        ]
        if not all(await asyncio.gather(*calls)):
            raise EpochGoneError

    def _message(self, row: StoredRevocation, epoch: str) -> str:
        now = self._clock.now()
        return encode([row.revocation], epoch=epoch, at=now, keys=self._keys)

    async def _learn_epoch(self) -> None:
        self._epoch = (await self._redis.execute("HGET", HEAD, "epoch") or b"").decode()
        if not self._epoch:
            raise EpochGoneError

    async def _epoch_lost(self) -> bool:
        try:
            await self._learn_epoch()
        except EpochGoneError:
            return True
        last = await self._redis.execute("HGET", HEAD, "last")
        return last != b"0-0" and not await self._redis.execute("EXISTS", LOG)

    async def _begin_epoch(self) -> bool:
        """Append every live row, then set the epoch: mirrors that see it can read everything."""
        async with self._database.transaction() as connection:
            if not await repository.try_lock(connection):
                return False
            found, epoch = self._epoch, self._entropy.bytes(16).hex()
            rows = await repository.live(connection, self._clock.now())
            for start in range(0, len(rows), SEED_PAGE):
                page = rows[start : start + SEED_PAGE]
                messages = [self._message(row, epoch) for row in page]
                await asyncio.gather(
                    *(self._redis.execute("XADD", LOG, "*", "m", text) for text in messages)
                )
            if not await self._redis.run(BEGIN_EPOCH, [LOG, HEAD], [found, epoch]):
                return False
            self._epoch = epoch
            await repository.mark_published(connection, rows, self._clock.now())
        log.info("revocations.epoch_begun", rows=len(rows))
        return True
