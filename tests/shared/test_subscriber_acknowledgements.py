"""What a subscriber tells the publishers, and when: they answer sign-outs by it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from deploy.local.valkey import Valkey
from deploy.redis_acl import MEDIA_ACL
from shared.background import run_periodically
from shared.clock import SystemClock
from shared.redis import open_redis
from shared.redis_connection import RedisConnection
from shared.revocation import subscriber
from shared.revocation.acknowledgement import ACKNOWLEDGEMENT_CHANNEL, Acknowledgement
from shared.revocation.message import REVOCATION_CHANNEL, REVOCATION_HEAD
from shared.revocation.stream_cursor import StreamPosition, format_id, parse_id
from shared.revocation.subscriber import open_revocation_cache
from tests.shared.conftest import STALE, Follow
from tests.support.proxy import Proxy
from tests.support.revocation_source import KEY, OTHER, RevocationSource, wait_until_fresh
from tests.support.waiting import until

Heard = list[Acknowledgement]


@pytest.fixture
async def heard(valkey: Valkey, redis: Redis) -> AsyncIterator[Heard]:
    """Everything that subscribers say, as a publisher hears it."""
    said: Heard = []
    subscribed = asyncio.Event()

    async def listen() -> None:
        async with open_redis(valkey.url()) as batched, batched.open_connection() as connection:
            subscription = await connection.subscribe(
                ACKNOWLEDGEMENT_CHANNEL,
                lambda text: said.append(Acknowledgement.decode(text, [KEY])),
            )
            subscribed.set()
            await connection.wait_until_lost(subscription)

    async with run_periodically("publisher", listen, pause=0):
        await subscribed.wait()
        yield said


async def head(source: RevocationSource) -> StreamPosition:
    found: Any = await source.redis.hgetall(REVOCATION_HEAD)
    return StreamPosition(found[b"epoch"].decode(), parse_id(found[b"last"]))


async def until_acknowledged(heard: Heard, position: StreamPosition) -> None:
    await until(lambda: heard[-1].applied == position, 0.5)


async def create_user(redis: Redis, name: str, rights: str) -> None:
    """Create a user of Redis; the selector in parentheses is one argument."""
    rules, _, selector = rights.partition("(")
    selectors = [f"({selector}"] if selector else []
    command: Any = redis.execute_command
    await command("ACL", "SETUSER", name, "reset", "on", ">x", *rules.split(), *selectors)


async def publish(source: RevocationSource, key: bytes = KEY) -> None:
    """As auth_service does: with the entry's id."""
    message = source.message(uuid4(), key)
    await source.append(message)
    entry = format_id((await head(source)).entry)
    await source.redis.publish(REVOCATION_CHANNEL, f'{{"id":"{entry}",{message[1:]}')


async def test_applied_message_is_acknowledged_at_once(
    source: RevocationSource, follow: Follow, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with follow(name="host") as cache:
        await wait_until_fresh(cache)
        monkeypatch.setattr(subscriber, "HEAD_CHECK_SECONDS", 60)
        await asyncio.sleep(1.1)  # a look may be under way
        for _ in range(3):
            await publish(source)
            newest = await head(source)
            await until_acknowledged(heard, newest)
    assert {one.subscriber.rpartition("-")[0] for one in heard} == {"host"}
    assert {one.max_staleness for one in heard[1:-1]} == {3}


async def test_look_counts_only_once_it_is_announced(
    source: RevocationSource, quick: Follow, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the publisher of an entry that the look does not show waits for this subscriber."""
    execute, sent = RedisConnection.execute, []

    async def recorded(self: RedisConnection, *commands: Any) -> Any:
        sent.append([command[:2] for command in commands])
        return await execute(self, *commands)

    monkeypatch.setattr(RedisConnection, "execute", recorded)
    async with quick() as cache:
        await wait_until_fresh(cache)
        looks = [one for one in sent if ("HGETALL", REVOCATION_HEAD) in one]
        announced = [("PUBLISH", ACKNOWLEDGEMENT_CHANNEL), ("HGETALL", REVOCATION_HEAD)]
        assert looks[:2] == [announced, announced]
        await until(lambda: len(heard) > 1)
        assert [one.max_staleness for one in heard[:2]] == [0, STALE]  # it asks for a round first


async def test_subscriber_without_the_right_to_acknowledge_honours_nothing(
    source: RevocationSource, valkey: Valkey
) -> None:
    """As with the rights of the release before: no publisher could wait for it."""
    await create_user(source.redis, "mute", MEDIA_ACL.partition("(")[0])
    url = valkey.url("mute", "x")
    async with open_revocation_cache(url, [KEY], SystemClock()) as cache:
        await until(lambda: "permission" in cache.explain_staleness())
        assert not cache.is_fresh


async def test_rights_of_media_service_are_enough_to_acknowledge(
    source: RevocationSource, valkey: Valkey, heard: Heard
) -> None:
    await create_user(source.redis, "media", MEDIA_ACL)
    async with open_revocation_cache(valkey.url("media", "x"), [KEY], SystemClock()) as cache:
        await wait_until_fresh(cache)
        await until(lambda: heard)


async def test_subscriber_that_ends_says_that_it_honours_nothing(
    source: RevocationSource, quick: Follow, heard: Heard
) -> None:
    async with quick() as cache:
        await wait_until_fresh(cache)
        await until(lambda: heard[-1].max_staleness == STALE)
    await until(lambda: heard[-1].max_staleness == 0)
    assert not cache.is_fresh


async def test_fail_open_subscriber_says_so(
    source: RevocationSource, quick: Follow, heard: Heard
) -> None:
    async with quick(fail_open=True):
        await until(lambda: heard and heard[-1].max_staleness is None)


async def test_entry_after_an_unverified_one_is_not_acknowledged(
    source: RevocationSource, quick: Follow, heard: Heard
) -> None:
    async with quick() as cache:
        await wait_until_fresh(cache)
        before = await head(source)
        await publish(source, OTHER)
        await publish(source)
        await wait_until_fresh(cache, wanted=False)
        assert max(one.applied for one in heard) <= before


async def test_reconnected_subscriber_acknowledges_nothing_before_a_complete_look(
    source: RevocationSource, quick: Follow, heard: Heard, proxy: Proxy
) -> None:
    """The next server may be another one, whose ids are lower."""
    async with quick() as cache:
        await wait_until_fresh(cache)
        await publish(source)
        newest = await head(source)
        await until_acknowledged(heard, newest)
        await source.redis.hdel(REVOCATION_HEAD, "told")  # no publisher runs a round
        proxy.cut()
        await wait_until_fresh(cache, wanted=False)
        count = len(heard)
        await publish(source)
        await asyncio.sleep(0.3)
        assert len(heard) == count
