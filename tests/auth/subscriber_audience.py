"""Subscribers of straw, whose acknowledgements a test sends."""

import asyncio
import time
from typing import Any
from uuid import UUID

from redis.asyncio import Redis

from shared.revocation.acknowledgement import ACKNOWLEDGEMENT_CHANNEL, Acknowledgement
from shared.revocation.message import REVOCATION_HEAD
from shared.revocation.stream_cursor import StreamPosition, parse_id
from tests.auth.publisher_harness import KEYS, PublisherHarness
from tests.support.waiting import until

LONG = 20.0


async def stays_open(task: asyncio.Task[Any]) -> bool:
    await asyncio.sleep(0.2)
    return not task.done()


async def say(redis: Redis, name: str, applied: StreamPosition, staleness: float | None) -> None:
    text = Acknowledgement(name, applied, staleness).encode(KEYS[0])
    assert await redis.publish(ACKNOWLEDGEMENT_CHANNEL, text) == 1


async def read_head(redis: Redis) -> StreamPosition:
    found: Any = await redis.hgetall(REVOCATION_HEAD)
    return StreamPosition(found[b"epoch"].decode(), parse_id(found.get(b"last", b"0")))


class Audience:
    """Subscribers of straw, and the publisher that has listened to them for long."""

    def __init__(self, harness: PublisherHarness) -> None:
        self.harness, self.redis = harness, harness.redis
        self.subscribers = harness.publisher.subscribers

    def names(self) -> list[str]:
        return [one.newest.subscriber for one in self.subscribers.known()]

    async def join(self, name: str, staleness: float | None = LONG) -> None:
        await say(self.redis, name, await read_head(self.redis), staleness)
        await until(lambda: name in self.names())

    async def apply(self, name: str) -> None:
        await say(self.redis, name, await read_head(self.redis), LONG)

    async def answering(self) -> asyncio.Task[float]:
        """Revoke; return the task of the answer, whose result is how long it took."""
        user = await self.harness.delete_user()
        before = await read_head(self.redis)
        task = asyncio.create_task(self.answer(user))

        async def published() -> bool:
            return (await read_head(self.redis)).entry > before.entry

        await until(published)
        return task

    async def answer(self, user: UUID) -> float:
        began = time.monotonic()
        await self.harness.publisher.publish_pending_of_user(user)
        return time.monotonic() - began
