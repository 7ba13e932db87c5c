"""The subscriber: misses no revocation, and knows when it might have missed one."""

import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
import structlog

from shared.errors import ServiceUnavailable
from shared.redis_connection import RedisConnection
from shared.revocation import subscriber
from shared.revocation.message import REVOCATION_CHANNEL, REVOCATION_HEAD, REVOCATION_STREAM
from shared.revocation.subscriber import RevocationSubscriber
from tests.shared.conftest import Follow
from tests.support.revocation_source import (
    OTHER,
    RevocationSource,
    claims,
    is_refused,
    wait_until_fresh,
    wait_until_refused,
)
from tests.support.waiting import until

LATE = "task.interrupted"  # on a busy machine an answer may come too late


async def wait_for_events(logs: Sequence[Any], event: str, *, times: int) -> None:
    """The log tells that it looked so many times."""

    async def holds() -> bool:
        return len([one for one in logs if one["event"] == event]) >= times

    await until(holds)


async def test_fresh_cache_knows_earlier_revocations(
    source: RevocationSource, follow: Follow
) -> None:
    sessions = [await source.revoke() for _ in range(50)]
    async with follow() as cache:
        assert not cache.is_fresh
        await wait_until_fresh(cache)
        assert [is_refused(cache, session) for session in sessions] == [True] * 50
        assert not is_refused(cache, uuid4())


async def test_stream_of_several_pages_is_read_to_its_end(
    source: RevocationSource, quick: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriber, "PAGE_SIZE", 7)
    sessions = [await source.revoke_unpublished() for _ in range(50)]
    async with quick() as cache:
        await wait_until_fresh(cache)
        assert [is_refused(cache, session) for session in sessions] == [True] * 50


async def test_published_message_is_applied_without_a_head_check(
    source: RevocationSource, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with follow() as cache:
        await wait_until_fresh(cache)
        monkeypatch.setattr(subscriber, "HEAD_CHECK_SECONDS", 60)
        await wait_until_refused(cache, await source.revoke())  # a check may be under way
        for _ in range(10):
            await wait_until_refused(cache, await source.revoke())


async def test_message_published_before_the_first_read_is_applied(
    source: RevocationSource, quick: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, published = RevocationSubscriber._sync_to_head, uuid4()

    async def late_look(self: RevocationSubscriber, connection: RedisConnection) -> None:
        monkeypatch.setattr(RevocationSubscriber, "_sync_to_head", look)
        # subscribed, stream not yet read; nothing is appended, so only the channel can tell
        assert await source.redis.publish(REVOCATION_CHANNEL, source.message(published)) == 1
        await look(self, connection)

    monkeypatch.setattr(RevocationSubscriber, "_sync_to_head", late_look)
    async with quick() as cache:
        await wait_until_refused(cache, published)


async def test_message_not_received_is_found_at_the_head(
    source: RevocationSource, follow: Follow
) -> None:
    async with follow() as cache:
        await wait_until_fresh(cache)
        await wait_until_refused(
            cache, await source.revoke_unpublished(), seconds=subscriber.HEAD_CHECK_SECONDS + 1
        )
        assert cache.is_fresh


async def test_lost_stream_revives_no_token(source: RevocationSource, quick: Follow) -> None:
    async with quick() as cache:
        session = await source.revoke()
        await wait_until_refused(cache, session)
        await source.redis.delete(REVOCATION_STREAM)
        await source.begin("second")
        await wait_until_refused(cache, await source.revoke())
        assert is_refused(cache, session)


async def test_unverified_entry_makes_the_cache_stale_until_it_is_trimmed(
    source: RevocationSource, quick: Follow
) -> None:
    async with quick() as cache:
        await wait_until_fresh(cache)
        await source.append(source.message(uuid4(), OTHER))
        await wait_until_fresh(cache, wanted=False)
        with pytest.raises(ServiceUnavailable):
            cache.check(claims(uuid4()))
        session = await source.revoke_unpublished()  # what follows is applied all the same
        await wait_until_refused(cache, session)
        assert not cache.is_fresh
        await source.redis.xtrim(REVOCATION_STREAM, maxlen=1, approximate=False)
        await wait_until_fresh(cache)


@pytest.mark.parametrize(("minutes", "outlived"), [(79, False), (81, True)])
async def test_unverified_entry_counts_until_its_tokens_have_expired(
    source: RevocationSource, quick: Follow, minutes: int, outlived: bool
) -> None:
    """The longest token life, a quarter of an hour for clocks, and as much as ours may be ahead."""
    entry = f"{int((time.time() - minutes * 60) * 1000)}-0"
    await source.redis.xadd(REVOCATION_STREAM, {"m": source.message(uuid4(), OTHER)}, id=entry)
    await source.begin()
    with structlog.testing.capture_logs() as logs:
        async with quick() as cache:
            if outlived:
                await wait_until_fresh(cache)  # though nothing was appended since
            else:
                await wait_for_events(logs, "revocations.unverified_entry_blocks", times=2)
                assert not cache.is_fresh


@pytest.mark.parametrize("text", [b"", b"{", b"null", b"[" * 5000, b"\xff", b'{"mac":"x"}'])
async def test_entry_that_is_no_message_makes_the_cache_stale(
    source: RevocationSource, quick: Follow, text: bytes
) -> None:
    await source.append(text.decode("latin-1"))
    with structlog.testing.capture_logs() as logs:
        async with quick() as cache:
            await wait_for_events(logs, "revocations.unverified_entry_blocks", times=2)
            assert not cache.is_fresh
            assert cache.explain_staleness().endswith("never: 1 entries have a foreign signature")
    assert {event["event"] for event in logs} <= {"revocations.unverified_entry_blocks", LATE}


async def test_unverified_message_is_ignored(source: RevocationSource, quick: Follow) -> None:
    session = uuid4()
    with structlog.testing.capture_logs() as logs:
        async with quick() as cache:
            await wait_until_fresh(cache)
            for text in (source.message(session, OTHER), "{", "[" * 100_000, ""):
                assert await source.redis.publish(REVOCATION_CHANNEL, text) == 1
            await wait_until_refused(
                cache, await source.revoke()
            )  # which came later over the same connection
            assert not is_refused(cache, session)
            assert cache.is_fresh
    ignored = [one for one in logs if one["event"] == "revocations.unverified_message_ignored"]
    assert [one["times"] for one in ignored] == [1]


async def test_missing_epoch_makes_the_cache_stale(source: RevocationSource, quick: Follow) -> None:
    await source.redis.delete(REVOCATION_HEAD)
    session = await source.revoke()
    await source.redis.hdel(REVOCATION_HEAD, "epoch")
    with structlog.testing.capture_logs() as logs:
        async with quick() as cache:
            await wait_for_events(logs, "revocations.epoch_missing", times=2)
            assert not cache.is_fresh
            assert cache.explain_staleness().endswith(
                "never: auth_service has not written them to Redis"
            )
            await source.begin()
            await wait_until_fresh(cache)
            assert is_refused(cache, session)
    assert {event["event"] for event in logs} <= {"revocations.epoch_missing", LATE}


@pytest.mark.parametrize(("patience", "level"), [(60.0, "info"), (0.0, "warning")])
async def test_missing_epoch_at_the_start_is_no_warning(
    source: RevocationSource,
    quick: Follow,
    monkeypatch: pytest.MonkeyPatch,
    patience: float,
    level: str,
) -> None:
    monkeypatch.setattr(subscriber, "EPOCH_GRACE_SECONDS", patience)
    await source.redis.delete(REVOCATION_HEAD)
    with structlog.testing.capture_logs() as logs:
        async with quick() as cache:
            await wait_for_events(logs, "revocations.epoch_missing", times=1)
            await source.begin()
            await wait_until_fresh(cache)
            await source.redis.hdel(REVOCATION_HEAD, "epoch")
            await wait_until_fresh(cache, wanted=False)
    levels = [one["log_level"] for one in logs if one["event"] == "revocations.epoch_missing"]
    assert (levels[0], levels[-1]) == (level, "warning"), "one that is lost is always told of"


async def test_new_epoch_is_read_from_its_start(source: RevocationSource, quick: Follow) -> None:
    async with quick() as cache:
        await source.revoke()
        await wait_until_fresh(cache)
        # a wiped Redis that was filled again: its ids may be lower than those known
        session = uuid4()
        await source.redis.delete(REVOCATION_STREAM)
        await source.redis.xadd(REVOCATION_STREAM, {"m": source.message(session)}, id="1-1")
        await source.begin("second")
        await wait_until_refused(cache, session)
        assert cache.is_fresh


async def test_earlier_head_is_read_from_its_start(source: RevocationSource, quick: Follow) -> None:
    async with quick() as cache:
        await source.revoke()
        await wait_until_fresh(cache)
        session = uuid4()
        await source.redis.delete(REVOCATION_STREAM)
        await source.redis.xadd(REVOCATION_STREAM, {"m": source.message(session)}, id="1-1")
        await source.redis.hset(REVOCATION_HEAD, "last", "1-1")  # the epoch stays: a failover
        await wait_until_refused(cache, session)
