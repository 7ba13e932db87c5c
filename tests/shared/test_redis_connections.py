"""Connections to Redis: a spare is open, a hundred at most, and closing disturbs nobody."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from shared.errors import ServiceUnavailable
from shared.redis import MAX_FLUSHES, BatchedRedis, new_client, open_redis
from shared.redis_connections import MAX_CONNECTIONS
from tests.support.proxy import Proxy
from tests.support.waiting import until


async def test_redis_connections_keep_one_spare(
    batched: BatchedRedis, redis: Redis, proxy: Proxy
) -> None:
    waits = asyncio.create_task(batched.execute("BLPOP", "list", 0))
    await asyncio.sleep(0.01)  # else they would leave together
    assert await batched.execute("ECHO", "beside it") == b"beside it"
    await redis.rpush("list", "done")
    await waits
    await proxy.wait_for_counts(
        connections=3, exchanges=6
    )  # the second said no password; a spare did


async def ask_one_by_one(
    batched: BatchedRedis, *commands: tuple[str | int, ...]
) -> list["asyncio.Task[Any]"]:
    """Each command leaves by itself, or would."""
    asked = []
    for command in commands:
        asked.append(asyncio.create_task(batched.execute(*command)))
        for _ in range(5):
            await asyncio.sleep(0)
    return asked


async def test_redis_connections_frozen_for_a_moment_keep_the_order(url: str, proxy: Proxy) -> None:
    batched = BatchedRedis(new_client(url, timeout=30))  # the order counts, not the time
    assert await batched.execute("PING") is True
    proxy.freeze()
    asked = await ask_one_by_one(
        batched, *(("RPUSH", "list", n) for n in range(3 * MAX_CONNECTIONS))
    )
    proxy.thaw()
    lengths = await asyncio.gather(*asked)
    assert sorted(lengths) == list(range(1, 3 * MAX_CONNECTIONS + 1))
    assert lengths[MAX_CONNECTIONS:] == sorted(lengths[MAX_CONNECTIONS:])  # in order of arrival
    assert proxy.connections <= MAX_CONNECTIONS
    await batched.close()


async def test_redis_connections_frozen_are_bounded_and_time_out_once(
    url: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than a busy machine needs to ask: nothing times out before all have asked.
    batched, sent = BatchedRedis(new_client(url, timeout=3)), list[int]()
    assert await batched.execute("PING") is True
    exchange = batched._exchange

    async def noted(batch: Any) -> list[object]:
        sent.append(len(batch))
        return await exchange(batch)

    monkeypatch.setattr(batched, "_exchange", noted)
    proxy.freeze()
    asked = await ask_one_by_one(batched, *[("PING",)] * (3 * MAX_CONNECTIONS))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(answer) for answer in answers} == {ServiceUnavailable}
    assert sent == [1] * MAX_FLUSHES  # the others were refused with the first that timed out
    assert proxy.connections <= MAX_CONNECTIONS
    proxy.thaw()
    await until(batched.is_reachable)
    await batched.close()


async def test_redis_connections_closed_fail_waiting_commands(url: str, proxy: Proxy) -> None:
    async with open_redis(url) as batched:
        assert await batched.execute("PING") is True
        proxy.freeze()
        asked = await ask_one_by_one(batched, *[("PING",)] * (2 * MAX_CONNECTIONS))
    proxy.thaw()
    async with asyncio.timeout(10):  # or for ever
        answers = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(answer) for answer in answers} == {ServiceUnavailable}


async def test_redis_connections_reset_closes_idle_ones(
    batched: BatchedRedis, proxy: Proxy
) -> None:
    await batched.reset_idle()
    await proxy.wait_until_unused()
    assert await batched.execute("PING") is True


async def test_redis_connections_closed_fail_blocked_command(url: str, proxy: Proxy) -> None:
    async with open_redis(url) as opened:
        waits = asyncio.create_task(opened.execute("BLPOP", "list", 0))
        await proxy.wait_for_counts(connections=2, exchanges=3)
    async with asyncio.timeout(10):  # or for ever
        with pytest.raises(ServiceUnavailable):
            await waits
        await proxy.wait_until_unused()


@pytest.mark.parametrize("ticks", range(8))
@pytest.mark.parametrize("renewed_first", [True, False])
async def test_redis_connections_reset_answers_commands_meanwhile(
    batched: BatchedRedis, ticks: int, renewed_first: bool
) -> None:
    async def ask() -> list[Any]:
        return await asyncio.gather(*(batched.execute("ECHO", number) for number in range(100)))

    steps = [batched.reset_idle, ask] if renewed_first else [ask, batched.reset_idle]
    first = asyncio.create_task(steps[0]())
    for _ in range(ticks):
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(first, steps[1]())
    assert [str(number).encode() for number in range(100)] in outcomes


async def test_redis_connection_with_unread_answer_is_not_reused(
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
