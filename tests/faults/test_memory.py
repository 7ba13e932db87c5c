"""Redis that has forgotten: wiped, gone back in time, or robbed of its stream."""

import asyncio
import time
from typing import Any

import pytest

from shared.revocation.message import REVOCATION_HEAD, REVOCATION_STREAM
from tests.faults.stack import Stage, log_out
from tests.support.waiting import until

BOUND = 3


@pytest.mark.parametrize("lost", ["everything", REVOCATION_STREAM, REVOCATION_HEAD])
async def test_what_is_lost_is_filled_again(stage: Stage, lost: str) -> None:
    async with stage.both() as (auth, media):
        alive, dead = await stage.tokens(2)
        assert (await log_out(auth, dead)).status == 204
        await (stage.redis.flushall() if lost == "everything" else stage.redis.delete(lost))
        lost_at = time.monotonic()
        async with stage.media() as newcomer:  # it knows only what Redis tells it
            while (status := await newcomer.status(dead)) != 401:
                assert status == 503
                assert await media.status(dead) == 401
                await asyncio.sleep(0.01)
            assert time.monotonic() - lost_at < BOUND
            await newcomer.until(alive, 200)
        await media.until(alive, 200)
        assert (await media.ask(dead)).code == "token_revoked"
        later = (await stage.tokens(1))[0]
        assert (await log_out(auth, later)).status == 204
        await media.until(later, 401, 2)


async def test_a_failover_that_loses_what_was_acknowledged(stage: Stage) -> None:
    """The new master lags behind the old one, and the cache had not heard of it either."""
    async with stage.both() as (auth, media):
        alive, early, late = await stage.tokens(3)
        assert (await log_out(auth, early)).status == 204
        await media.until(early, 401)
        behind: Any = {
            key: await stage.redis.dump(key) for key in (REVOCATION_STREAM, REVOCATION_HEAD)
        }
        stage.links["media"].freeze()
        assert (await log_out(auth, late)).status == 204
        for key, value in behind.items():
            await stage.redis.restore(key, 0, value, replace=True)
        await stage.links["media"].vanish()
        await stage.links["media"].appear()
        failed_over_at = time.monotonic()
        await media.until(late, 401, BOUND)
        assert time.monotonic() - failed_over_at < BOUND
        await media.until(alive, 200)
        async with stage.media() as newcomer:
            await newcomer.until(alive, 200)
            assert [await newcomer.status(token) for token in (early, late)] == [401, 401]


async def test_two_replicas_fill_one_wiped_redis(stage: Stage) -> None:
    async with stage.auth() as other, stage.both() as (auth, media):
        tokens = await stage.tokens(20)
        for token in tokens:
            await log_out(auth, token)
        await stage.redis.flushall()
        await until(stage.has_epoch)
        epoch = await stage.redis.hget(REVOCATION_HEAD, "epoch")
        alive, dead = await stage.tokens(2)
        for replica in (auth, other):
            assert (await log_out(replica, dead)).status == 204
        await media.until(alive, 200)
        assert {await media.status(token) for token in (*tokens, dead)} == {401}
        assert await stage.redis.hget(REVOCATION_HEAD, "epoch") == epoch
