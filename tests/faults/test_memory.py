"""Redis that has forgotten: wiped, gone back in time, or robbed of its stream."""

import asyncio
import time
from typing import Any

import pytest

from shared.revocation.message import REVOCATION_HEAD, REVOCATION_STREAM
from tests.faults.stack import BreakableStack, log_out
from tests.support.waiting import until

BOUND = 3


@pytest.mark.parametrize("lost", ["everything", REVOCATION_STREAM, REVOCATION_HEAD])
async def test_revocations_lost_in_redis_are_rebuilt(stack: BreakableStack, lost: str) -> None:
    async with stack.both() as (auth, media):
        alive, dead = await stack.tokens(2)
        assert (await log_out(auth, dead)).status == 204
        await (stack.redis.flushall() if lost == "everything" else stack.redis.delete(lost))
        lost_at = time.monotonic()
        async with stack.media() as newcomer:  # it knows only what Redis tells it
            while (status := await newcomer.status(dead)) != 401:
                assert status == 503
                assert await media.status(dead) == 401
                await asyncio.sleep(0.01)
            assert time.monotonic() - lost_at < BOUND
            await newcomer.until(alive, 200)
        await media.until(alive, 200)
        assert (await media.ask(dead)).code == "token_revoked"
        later = (await stack.tokens(1))[0]
        assert (await log_out(auth, later)).status == 204
        await media.until(later, 401, 2)


async def test_failover_that_lost_acknowledged_entries_is_repaired(stack: BreakableStack) -> None:
    """The new master lags behind the old one, and the cache had not heard of it either."""
    async with stack.both() as (auth, media):
        alive, early, late = await stack.tokens(3)
        assert (await log_out(auth, early)).status == 204
        await media.until(early, 401)
        behind: Any = {
            key: await stack.redis.dump(key) for key in (REVOCATION_STREAM, REVOCATION_HEAD)
        }
        stack.proxies["media"].freeze()
        assert (await log_out(auth, late)).status == 204
        for key, value in behind.items():
            await stack.redis.restore(key, 0, value, replace=True)
        await stack.proxies["media"].refuse()
        await stack.proxies["media"].listen()
        failed_over_at = time.monotonic()
        await media.until(late, 401, BOUND)
        assert time.monotonic() - failed_over_at < BOUND
        await media.until(alive, 200)
        async with stack.media() as newcomer:
            await newcomer.until(alive, 200)
            assert [await newcomer.status(token) for token in (early, late)] == [401, 401]


async def test_replicas_rebuild_a_wiped_redis_once(stack: BreakableStack) -> None:
    async with stack.auth() as other, stack.both() as (auth, media):
        tokens = await stack.tokens(20)
        for token in tokens:
            await log_out(auth, token)
        await stack.redis.flushall()
        await until(stack.has_epoch)
        epoch = await stack.redis.hget(REVOCATION_HEAD, "epoch")
        alive, dead = await stack.tokens(2)
        for replica in (auth, other):
            assert (await log_out(replica, dead)).status == 204
        await media.until(alive, 200)
        assert {await media.status(token) for token in (*tokens, dead)} == {401}
        assert await stack.redis.hget(REVOCATION_HEAD, "epoch") == epoch
