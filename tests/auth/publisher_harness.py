"""A publisher whose rounds a test makes, over a real database and a real Redis."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from redis.asyncio import Redis

from auth_service.revocation.model import DELETED_LIFE
from auth_service.revocation.service import Publisher
from auth_service.revocation.stream import RevocationStream
from auth_service.revocation.subscribers import Subscribers
from deploy.local.valkey import Valkey
from shared.background import run_periodically
from shared.db import open_database
from shared.entropy import SystemEntropy
from shared.redis import BatchedRedis, open_redis
from shared.revocation.catch_up import PublisherRounds
from shared.revocation.message import (
    REVOCATION_HEAD,
    REVOCATION_STREAM,
    USER_DELETED,
    Revocation,
    decode,
)
from tests.conftest import REVOCATION_KEY
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.waiting import until

KEYS = [REVOCATION_KEY.encode()]
LIFE = timedelta(minutes=10)
INSERT = """
insert into revocations (kind, subject, generation, reason, created_at, expires_at)
values ($1, $2, $3, $4, $5, $6)"""


@dataclass
class PublisherHarness:
    """A publisher whose rounds the test makes, over a real database and a real Redis."""

    publisher: Publisher
    batched: BatchedRedis
    redis: Redis
    db: Connection
    clock: MovableClock

    async def revoke(self, count: int = 1, *, age: timedelta = timedelta()) -> list[str]:
        names = [str(uuid4()) for _ in range(count)]
        at = self.clock.now() - age
        for name in names:
            row = ("session", name, None, "logout", at, at + LIFE)
            await self.db.execute(INSERT, *row)
        return names

    async def delete_user(self, *, age: timedelta = timedelta()) -> UUID:
        user, at = uuid4(), self.clock.now() - age
        row = ("user", str(user), 3, USER_DELETED, at, at + DELETED_LIFE)
        await self.db.execute(INSERT, *row)
        return user

    async def publish_all(self) -> None:
        """Make rounds until nothing is too young to be published."""
        for _ in range(2):
            await self.publisher.reconcile()

    async def published(self, stream: str = REVOCATION_STREAM) -> list[Revocation]:
        entries: Any = await self.redis.xrange(stream)
        return [one for _, fields in entries for one in decode(fields[b"m"], KEYS).revocations]

    async def names(self, stream: str = REVOCATION_STREAM) -> list[str]:
        return [revocation.id for revocation in await self.published(stream)]

    async def epoch(self) -> bytes | None:
        epoch: Any = await self.redis.hget(REVOCATION_HEAD, "epoch")
        return bytes(epoch) if epoch else None

    async def rounds(self) -> PublisherRounds:
        head: Any = await self.redis.hgetall(REVOCATION_HEAD)
        return PublisherRounds.of(head)

    async def shown_alive(self) -> PublisherRounds:
        """The counters once a publisher has given another sign of life."""
        before = await self.rounds()

        async def counted() -> bool:
            return (await self.rounds()).started > before.started

        await until(counted)
        return await self.rounds()

    async def is_complete(self) -> bool:
        """Return whether the newest round is complete."""
        now = await self.rounds()
        return now.complete == now.started

    async def dump(self, *keys: str) -> dict[str, Any]:
        """What a replica that lags behind would still have."""
        return {key: await self.redis.dump(key) for key in keys}

    async def restore(self, taken: dict[str, Any]) -> None:
        for key, value in taken.items():
            await self.redis.restore(key, 0, value, replace=True)

    async def mark_all(self) -> None:
        await self.db.execute("update revocations set published_at = created_at, entry = '1-1'")

    def stream(self) -> RevocationStream:
        return self.publisher._stream

    def another(self) -> Publisher:
        return Publisher(
            database=self.publisher.database,
            redis=self.batched,
            keys=KEYS,
            clock=self.clock,
            entropy=SystemEntropy(),
            token_life=LIFE,
            subscribers=self.publisher.subscribers,
        )


@asynccontextmanager
async def open_harness(
    auth_dsn: str, auth_db: Connection, valkey: Valkey, redis: Redis, clock: MovableClock
) -> AsyncIterator[PublisherHarness]:
    async with open_database(auth_dsn) as database, open_redis(valkey.url()) as batched:
        entropy = SystemEntropy()
        subscribers = Subscribers(
            redis=batched, keys=KEYS, clock=clock, entropy=entropy, max_staleness=0
        )
        publisher = Publisher(
            database=database,
            redis=batched,
            keys=KEYS,
            clock=clock,
            entropy=entropy,
            token_life=LIFE,
            subscribers=subscribers,
        )
        async with run_periodically("subscribers", subscribers.listen, pause=0.1):
            yield PublisherHarness(publisher, batched, redis, auth_db, clock)
            await publisher.close()
