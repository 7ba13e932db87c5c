"""A connection that ends when it is lost, however still it is meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from deploy.local.valkey import Valkey
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
        subscription = await connection.subscribe(CHANNEL, heard.append)
        listening = asyncio.create_task(connection.wait_until_lost(subscription))
        await asyncio.sleep(0.5)  # twice as long as an unresponsive one is waited for
        for text in ("first", "second"):
            await redis.publish(CHANNEL, text)
        await until(lambda: heard == [b"first", b"second"])
        assert not listening.done()
        listening.cancel()


async def test_subscription_hears_a_message_that_comes_in_pieces(url: str) -> None:
    heard: list[bytes] = []
    async with connected(url) as connection:
        subscription = await connection.subscribe(CHANNEL, heard.append)
        text = b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$4\r\na\r\nb\r\n"
        for piece in (text[:3], text[3:-4], text[-4:] + text):
            subscription.data_received(piece)
        assert heard == [b"a\r\nb"] * 2


async def test_messages_gather_while_the_subscription_pauses(url: str, redis: Redis) -> None:
    heard: list[bytes] = []
    async with connected(url) as connection:
        await connection.subscribe(CHANNEL, heard.append, lambda: 0.3 if heard else 0)
        await redis.publish(CHANNEL, "first")
        await until(lambda: heard == [b"first"])
        for text in ("second", "third"):
            await redis.publish(CHANNEL, text)
        await asyncio.sleep(0.1)
        assert heard == [b"first"]
        await until(lambda: heard[1:] == [b"second", b"third"])


async def test_refused_subscription_raises(valkey: Valkey, redis: Redis) -> None:
    command: Any = redis.execute_command
    await command("ACL", "SETUSER", "deaf", "reset", "on", ">x", "+@all", "resetchannels")
    async with connected(valkey.url("deaf", "x")) as connection:
        with pytest.raises(ResponseError, match="channel"):
            await connection.subscribe(CHANNEL, print)


async def test_subscription_ends_with_its_connection(url: str, proxy: Proxy) -> None:
    async with connected(url) as connection:
        subscription = await connection.subscribe(CHANNEL, print, lambda: 0.1)
        proxy.cut()
        async with asyncio.timeout(0.5):
            with pytest.raises((RedisError, OSError)):
                await connection.wait_until_lost(subscription)
        with pytest.raises((RedisError, OSError)):
            await connection.subscribe(CHANNEL, print)


async def test_unresponsive_subscription_ends(
    url: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_connection, "PING_AFTER_SECONDS", 0.05)
    async with connected(url) as connection:
        subscription = await connection.subscribe(CHANNEL, print)
        proxy.freeze()
        async with asyncio.timeout(2):
            with pytest.raises(TimeoutError, match="unresponsive"):
                await connection.wait_until_lost(subscription)
