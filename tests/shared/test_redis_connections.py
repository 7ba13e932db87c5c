"""Connections to Redis: a spare is open, a hundred at most, and closing disturbs nobody."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from shared.errors import ServiceUnavailable
from shared.redis import BatchedRedis, open_redis
from shared.redis_connections import MOST
from tests.support.proxy import Proxy


async def test_a_connection_more_is_open_than_was_needed_at_once(
    batched: BatchedRedis, redis: Redis, proxy: Proxy
) -> None:
    waits = asyncio.create_task(batched.execute("BLPOP", "list", 0))
    await asyncio.sleep(0.01)  # else they would leave together
    assert await batched.execute("ECHO", "beside it") == b"beside it"
    await redis.rpush("list", "done")
    await waits
    await proxy.seen(connections=3, exchanges=6)  # the second said no password; a spare did


async def test_a_frozen_redis_costs_a_hundred_connections_at_most(
    batched: BatchedRedis, proxy: Proxy
) -> None:
    proxy.freeze()
    asked = []
    for _ in range(3 * MOST):
        asked.append(asyncio.create_task(batched.execute("PING")))
        for _ in range(5):  # each leaves by itself
            await asyncio.sleep(0)
    proxy.thaw()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert MOST / 2 < answers.count(True) <= MOST
    assert {type(answer) for answer in answers} == {bool, ServiceUnavailable}
    assert proxy.connections <= MOST
    assert await batched.execute("PING") is True


async def test_what_is_renewed_is_closed(batched: BatchedRedis, proxy: Proxy) -> None:
    await batched.renew()
    await proxy.left()
    assert await batched.execute("PING") is True


async def test_who_still_waits_at_the_end_is_told(url: str, proxy: Proxy) -> None:
    async with open_redis(url) as opened:
        waits = asyncio.create_task(opened.execute("BLPOP", "list", 0))
        await proxy.seen(connections=2, exchanges=3)
    async with asyncio.timeout(1):
        with pytest.raises(ServiceUnavailable):
            await waits
        await proxy.left()


@pytest.mark.parametrize("ticks", range(8))
@pytest.mark.parametrize("renewed_first", [True, False])
async def test_what_is_asked_while_connections_are_renewed_is_answered(
    batched: BatchedRedis, ticks: int, renewed_first: bool
) -> None:
    async def ask() -> list[Any]:
        return await asyncio.gather(*(batched.execute("ECHO", number) for number in range(100)))

    steps = [batched.renew, ask] if renewed_first else [ask, batched.renew]
    first = asyncio.create_task(steps[0]())
    for _ in range(ticks):
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(first, steps[1]())
    assert [str(number).encode() for number in range(100)] in outcomes


async def test_an_answer_that_nobody_read_is_nobody_elses(
    batched: BatchedRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise LookupError

    monkeypatch.setitem(batched._callbacks, "ECHO", fail)
    answers = await asyncio.gather(
        batched.execute("ECHO", "unreadable"),
        batched.execute("BLPOP", "list", "0.1"),  # comes when the first one has failed
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [LookupError, LookupError]
    assert await batched.execute("INCR", "count") == 1
