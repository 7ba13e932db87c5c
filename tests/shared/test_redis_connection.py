"""A connection that ends when it is lost, however still it is meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from shared import redis_connection
from shared.redis import new_client
from shared.redis_connection import RedisConnection, open_connection
from tests.support.proxy import Proxy
from tests.support.waiting import until

CHANNEL = "news"


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[RedisConnection]:
    client = new_client(url)
    async with open_connection(client.connection_pool) as connection:
        yield connection
    await client.aclose()


async def test_commands_sent_at_once_are_answered_in_their_order(url: str) -> None:
    async with connected(url) as connection:
        answers = await connection.execute(("SET", "key", 5), ("GET", "key"))
        assert answers == [b"OK", b"5"]


async def test_refused_command_raises_and_leaves_the_connection_usable(url: str) -> None:
    async with connected(url) as connection:
        with pytest.raises(ResponseError):
            await connection.execute(("SET", "key", 6), ("HGETALL", "key"), ("GET", "key"))
        assert await connection.execute(("GET", "key")) == [b"6"]


async def test_lost_connection_is_not_replaced(url: str, proxy: Proxy) -> None:
    async with connected(url) as connection:
        await connection.execute(("PING",))
        proxy.cut()
        for _ in range(2):
            with pytest.raises((RedisError, OSError)):
                await connection.execute(("PING",))
    assert proxy.connections == 1


async def test_subscription_hears_what_follows_a_long_silence(
    url: str, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_connection, "PING_AFTER_SECONDS", 0.05)
    heard: list[bytes] = []
    async with connected(url) as connection:
        await connection.execute(("SUBSCRIBE", CHANNEL))
        listening = asyncio.create_task(connection.listen(CHANNEL, heard.append))
        await asyncio.sleep(0.5)  # twice as long as an unresponsive one is waited for
        for text in ("first", "second"):
            await redis.publish(CHANNEL, text)
        await until(lambda: heard == [b"first", b"second"])
        assert not listening.done()
        listening.cancel()


async def test_unresponsive_subscription_ends(
    url: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_connection, "PING_AFTER_SECONDS", 0.05)
    async with connected(url) as connection:
        await connection.execute(("SUBSCRIBE", CHANNEL))
        proxy.freeze()
        async with asyncio.timeout(2):
            with pytest.raises(TimeoutError, match="unresponsive"):
                await connection.listen(CHANNEL, print)
