"""Redis: concurrent commands share a round trip, each fails alone, and an absence is a 503."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from deploy.local.valkey import Valkey
from shared.errors import ServiceUnavailable
from shared.redis import BatchedRedis, Script, new_client
from tests.support.proxy import Proxy
from tests.support.waiting import until

ECHO = Script.from_sources("return ARGV[1]")


@pytest.fixture
async def patient(url: str) -> AsyncIterator[BatchedRedis]:
    """Waits 30 seconds for an answer: what is told sooner was not told by its time-out."""
    opened = BatchedRedis(new_client(url, timeout=30))
    yield opened
    await opened.close()


@pytest.fixture
async def impatient(url: str) -> AsyncIterator[BatchedRedis]:
    """One that waits for an answer a fifth of a second."""
    opened = BatchedRedis(new_client(url, timeout=0.2))
    yield opened
    await opened.close()


async def test_redis_commands_at_once_share_one_round_trip(
    batched: BatchedRedis, proxy: Proxy
) -> None:
    before = proxy.exchanges
    answers = await asyncio.gather(*(batched.execute("ECHO", number) for number in range(100)))
    assert answers == [str(number).encode() for number in range(100)]
    assert proxy.exchanges - before == 1


async def test_redis_commands_in_turn_take_a_round_trip_each(
    batched: BatchedRedis, proxy: Proxy
) -> None:
    before = proxy.exchanges
    for number in range(3):
        assert await batched.execute("ECHO", number) == str(number).encode()
    assert proxy.exchanges - before == 3


async def test_redis_values_of_text_bytes_and_numbers_are_kept(batched: BatchedRedis) -> None:
    for value, stored in (("é\r\n", "é\r\n".encode()), (b"\0\xff", b"\0\xff"), (-7, b"-7")):
        await batched.execute("SET", "key", value)
        assert await batched.execute("GET", "key") == stored
    assert await batched.execute("GET", "nothing") is None


async def test_redis_refused_command_fails_alone(batched: BatchedRedis) -> None:
    await batched.execute("SET", "text", "x")
    answers = await asyncio.gather(
        batched.execute("ECHO", "before"),
        batched.execute("INCR", "text"),
        batched.execute("NO-SUCH-COMMAND"),
        batched.execute("ECHO", "after"),
        return_exceptions=True,
    )
    assert (answers[0], answers[3]) == (b"before", b"after")
    assert isinstance(answers[1], ResponseError)
    assert isinstance(answers[2], ResponseError)


async def test_redis_unsendable_value_fails_alone(batched: BatchedRedis) -> None:
    odd: Any = None
    async with asyncio.timeout(2):
        answers = await asyncio.gather(
            batched.execute("ECHO", "before"),
            batched.execute("ECHO", "\ud800"),
            batched.execute("ECHO", odd),
            batched.execute("ECHO", "after"),
            return_exceptions=True,
        )
    assert (answers[0], answers[3]) == (b"before", b"after")
    assert isinstance(answers[1], Exception)
    assert isinstance(answers[2], Exception)


async def test_redis_cancelled_command_leaves_others(batched: BatchedRedis) -> None:
    given_up = asyncio.create_task(batched.execute("INCR", "count"))
    stays = asyncio.create_task(batched.execute("INCR", "count"))
    await asyncio.sleep(0)
    given_up.cancel()
    assert await stays == 2  # what was asked is done, whoever still listens
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert await batched.execute("INCR", "count") == 3


async def test_redis_script_is_sent_whole_only_when_unknown(
    batched: BatchedRedis, redis: Redis, proxy: Proxy
) -> None:
    before = proxy.exchanges
    assert await batched.run(ECHO, [], ["one"]) == b"one"
    assert await batched.run(ECHO, [], ["two"]) == b"two"
    assert proxy.exchanges - before == 2
    await redis.script_flush()
    assert await batched.run(ECHO, [], ["three"]) == b"three"
    assert proxy.exchanges - before == 4
    assert await batched.run(ECHO, [], ["four"]) == b"four"
    assert proxy.exchanges - before == 5
    await redis.script_flush()
    answers = await asyncio.gather(*(batched.run(ECHO, [], [n]) for n in range(10)))
    assert answers == [str(n).encode() for n in range(10)]


async def test_redis_script_error_is_a_response_error(batched: BatchedRedis) -> None:
    with pytest.raises(ResponseError, match="wrong"):
        await batched.run(Script.from_sources("return redis.error_reply('wrong')"), [], [])


async def test_redis_that_returns_is_available_again(patient: BatchedRedis, proxy: Proxy) -> None:
    assert await patient.execute("PING") is True
    await proxy.refuse()
    for _ in range(2):
        async with asyncio.timeout(10):
            with pytest.raises(ServiceUnavailable):
                await patient.execute("PING")
    assert not await patient.is_reachable()
    await proxy.listen()
    assert await patient.execute("PING") is True
    assert await patient.is_reachable()


async def test_redis_command_past_its_timeout_is_unavailable(
    patient: BatchedRedis, proxy: Proxy
) -> None:
    assert await patient.with_timeout(5, patient.execute("PING")) is True
    proxy.freeze()
    started = time.monotonic()
    async with asyncio.timeout(10):
        with pytest.raises(ServiceUnavailable):
            await patient.with_timeout(0.1, patient.execute("PING"))
    assert time.monotonic() - started >= 0.1
    proxy.thaw()
    assert await patient.with_timeout(5, patient.execute("PING")) is True


async def test_redis_busy_with_a_script_is_unreachable(batched: BatchedRedis, redis: Redis) -> None:
    async def away() -> bool:
        return not await batched.is_reachable()

    await redis.config_set("busy-reply-threshold", 1)
    endless = asyncio.create_task(batched.run(Script.from_sources("while true do end"), [], []))
    await asyncio.sleep(0.1)  # else what is asked next waits on the script's own connection
    try:
        await until(away)
    finally:
        await redis.script_kill()
        # The kill is answered before the script has ended; until then all else is answered BUSY.
        await asyncio.gather(endless, return_exceptions=True)
        await redis.config_set("busy-reply-threshold", 5000)
    assert await batched.is_reachable()


async def test_redis_unreachable_fails_every_waiting_command(
    batched: BatchedRedis, proxy: Proxy
) -> None:
    await proxy.refuse()
    answers = await asyncio.gather(
        *(batched.execute("PING") for _ in range(20)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [ServiceUnavailable] * 20


async def test_redis_frozen_is_unavailable_within_its_timeout(
    impatient: BatchedRedis, proxy: Proxy
) -> None:
    assert await impatient.execute("PING") is True
    proxy.freeze()
    async with asyncio.timeout(10):  # or for ever
        with pytest.raises(ServiceUnavailable):
            await impatient.execute("PING")
        with pytest.raises(ServiceUnavailable):  # a new connection is not answered either
            await impatient.execute("PING")
    proxy.thaw()
    assert await impatient.execute("ECHO", "mine") == b"mine"


async def test_redis_lost_answer_is_not_retried(
    impatient: BatchedRedis, proxy: Proxy, redis: Redis
) -> None:
    await impatient.execute("PING")
    proxy.freeze()
    with pytest.raises(ServiceUnavailable):
        await impatient.execute("INCR", "count")
    proxy.thaw()
    assert await impatient.execute("PING") is True
    assert await redis.get("count") in {None, b"1"}


async def test_redis_connection_cut_costs_one_command_at_most(
    batched: BatchedRedis, proxy: Proxy
) -> None:
    proxy.cut()
    outcomes = []
    for _ in range(3):
        try:
            outcomes.append(await batched.execute("PING"))
        except ServiceUnavailable:
            outcomes.append(None)
    assert outcomes[1:] == [True, True]


@pytest.mark.parametrize("trouble", ["full", "replica", "loading"])
async def test_redis_that_cannot_write_is_unavailable(
    trouble: str, redis: Redis, valkey: Valkey, batched: BatchedRedis
) -> None:
    write: tuple[str, ...] = ("SET", "key", "value")
    try:
        if trouble == "full":
            await redis.config_set("maxmemory", "1")
        elif trouble == "replica":
            await redis.slaveof("127.0.0.1", 1)
        else:
            write = ("EVAL", "return redis.error_reply('LOADING the dataset')", "0")
        with pytest.raises(ServiceUnavailable):
            await batched.execute(*write)
        if trouble != "loading":
            script = Script.from_sources("return redis.call('SET', KEYS[1], ARGV[1])")
            with pytest.raises(ServiceUnavailable):
                await batched.run(script, ["key"], ["value"])
    finally:
        await redis.config_set("maxmemory", "0")
        await redis.slaveof()
    assert await batched.execute("SET", "key", "value")


async def test_redis_unforeseen_error_reaches_every_waiting_command(
    batched: BatchedRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise LookupError

    monkeypatch.setattr("redis.asyncio.connection.Connection.send_packed_command", fail)
    async with asyncio.timeout(2):
        answers = await asyncio.gather(
            *(batched.execute("PING") for _ in range(3)), return_exceptions=True
        )
    assert [type(answer) for answer in answers] == [LookupError] * 3
