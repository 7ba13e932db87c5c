"""Revocations as other replicas of auth_service would publish them, at a steady rate."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from redis.asyncio import Redis

from shared.revocation.message import (
    REVOCATION_CHANNEL,
    REVOCATION_HEAD,
    REVOCATION_STREAM,
    Revocation,
)
from tests.bench.bench import Bench
from tests.bench.child import BenchError
from tests.support.revocation_messages import encode

TICK_SECONDS = 0.005
LIFE = timedelta(minutes=10)
PUBLISH = """
local id = redis.call('XADD', KEYS[1], '*', 'm', ARGV[1])
redis.call('HSET', KEYS[2], 'last', id)
redis.call('PUBLISH', ARGV[2], '{"id":"' .. id .. '",' .. string.sub(ARGV[1], 2))
"""


def messages(count: int, epoch: str, key: bytes) -> list[str]:
    """Signed messages, each of one session that is nobody's."""
    now = datetime.now(UTC)
    return [
        encode(
            [Revocation("session", str(uuid4()), "logout", now + LIFE)],
            epoch=epoch,
            at=now,
            keys=[key],
        )
        for _ in range(count)
    ]


@asynccontextmanager
async def feeding(bench: Bench, rate: int, seconds: float) -> AsyncIterator[None]:
    """Publish `rate` revocations a second beside the block, for at most `seconds`.

    Raises:
        BenchError: it fell behind by more than a tenth.
    """
    redis = bench.stack.redis()
    found = await redis.hget(REVOCATION_HEAD, "epoch")
    if not isinstance(found, bytes):
        raise BenchError("there is no epoch to publish in")
    key = bench.stack.revocation_key()
    waiting = messages(int(rate * seconds), found.decode(), key)
    began = time.perf_counter()
    task = asyncio.create_task(_feed(redis, waiting, rate))
    try:
        yield
        sent = int(rate * seconds) - len(waiting)
        wanted = rate * min(seconds, time.perf_counter() - began)
    finally:
        task.cancel()
        await asyncio.wait([task])
        await redis.aclose()
    if sent < wanted * 0.9:
        raise BenchError(f"only {sent} of {wanted:.0f} revocations could be published")


async def _feed(redis: Redis, waiting: list[str], rate: int) -> None:
    digest = await redis.script_load(PUBLISH)
    began, total = time.perf_counter(), len(waiting)
    while waiting:
        due = int((time.perf_counter() - began) * rate) - (total - len(waiting))
        async with redis.pipeline(transaction=False) as pipeline:
            for _ in range(min(due, len(waiting))):
                pipeline.evalsha(
                    digest, 2, REVOCATION_STREAM, REVOCATION_HEAD, waiting.pop(), REVOCATION_CHANNEL
                )
            await pipeline.execute()
        await asyncio.sleep(TICK_SECONDS)
