"""A publisher's round completes the stream, whatever Redis has lost."""

from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from auth_service.revocation.errors import RevocationPending
from auth_service.revocation.metrics import register_publisher_metrics
from auth_service.revocation.model import DELETED_LIFE
from shared.revocation.cache import KEEP_AFTER_EXPIRY
from shared.revocation.message import (
    DELETED_USERS_STREAM,
    REVOCATION_HEAD,
    REVOCATION_STREAM,
    USER_DELETED,
)
from tests.auth.publisher_harness import LIFE, Bench


async def test_a_quiet_round_changes_nothing(bench: Bench) -> None:
    await bench.revoke(5)
    await bench.delete_user()
    await bench.settle()
    before = [
        await bench.redis.xrange(stream) for stream in (REVOCATION_STREAM, DELETED_USERS_STREAM)
    ]
    epoch = await bench.epoch()
    await bench.settle()
    assert [
        await bench.redis.xrange(stream) for stream in (REVOCATION_STREAM, DELETED_USERS_STREAM)
    ] == before
    assert await bench.epoch() == epoch


async def test_what_the_log_lost_is_appended_again(bench: Bench) -> None:
    await bench.publisher.reconcile()
    kept = await bench.revoke(4)
    await bench.settle()
    snapshot = await bench.take(REVOCATION_STREAM, REVOCATION_HEAD)
    lost = await bench.revoke(3)
    await bench.settle()
    await bench.put_back(snapshot)
    assert not set(lost) & set(await bench.names())
    epoch = await bench.epoch()
    later = await bench.revoke()
    await bench.settle()
    assert set(await bench.names()) == {*kept, *lost, *later}
    assert await bench.epoch() == epoch


async def test_one_entry_that_is_gone_is_appended_again(bench: Bench) -> None:
    names = await bench.revoke(6)
    await bench.settle()
    entries: Any = await bench.redis.xrange(REVOCATION_STREAM)
    await bench.redis.xdel(REVOCATION_STREAM, entries[1][0])
    assert len(await bench.names()) < 6
    await bench.publisher.reconcile()
    assert set(await bench.names()) == set(names)
    newest: Any = await bench.redis.xrevrange(REVOCATION_STREAM, count=1)
    assert await bench.redis.hget(REVOCATION_HEAD, "last") == newest[0][0]


async def test_nothing_is_published_in_an_epoch_that_is_gone(bench: Bench) -> None:
    await bench.publisher.reconcile()
    await bench.redis.flushall()
    user = await bench.delete_user()
    with pytest.raises(RevocationPending):
        await bench.publisher.publish_pending_of_user(user)
    assert await bench.redis.keys() == []


async def test_what_is_young_is_left_to_its_handler(bench: Bench) -> None:
    await bench.publisher.reconcile()
    names = await bench.revoke()
    bench.clock.advance(minutes=-5)  # no clock tells its age
    await bench.publisher.reconcile()
    assert await bench.names() == []
    assert bench.publisher.pending == 1
    await bench.publisher.reconcile()
    assert await bench.names() == names
    assert bench.publisher.pending == 0


async def test_a_replica_that_starts_publishes_what_another_left(bench: Bench) -> None:
    await bench.publisher.reconcile()
    names = await bench.revoke(1200)
    replica = bench.another()
    for _ in range(2):
        await replica.reconcile()
    assert sorted(await bench.names()) == sorted(names)
    assert await bench.db.fetchval("select count(*) from revocations where entry is null") == 0


async def test_a_deleted_user_is_told_in_a_stream_of_its_own(bench: Bench) -> None:
    await bench.publisher.reconcile()
    user, _ = await bench.delete_user(), await bench.revoke()
    await bench.publisher.publish_pending_of_user(user)
    [told] = await bench.told(DELETED_USERS_STREAM)
    assert (told.id, told.reason, told.generation) == (str(user), USER_DELETED, 3)
    assert (await bench.told())[0].id == str(user)
    # a cache forgets a user whose tokens are long dead
    assert told.expires_at < bench.clock.now() + timedelta(hours=1)
    row: Any = await bench.db.fetchrow("select * from revocations where published_at is not null")
    assert row["expires_at"] > bench.clock.now() + timedelta(days=29)


async def test_deleted_users_are_told_again_for_thirty_days(bench: Bench) -> None:
    old = await bench.delete_user(age=timedelta(days=29))
    await bench.delete_user(age=timedelta(days=31))
    await bench.mark_all()
    await bench.publisher.reconcile()
    assert await bench.names(DELETED_USERS_STREAM) == [str(old)]
    assert await bench.names() == []  # their tokens are dead
    await bench.redis.delete(DELETED_USERS_STREAM)
    await bench.publisher.reconcile()
    assert await bench.names(DELETED_USERS_STREAM) == [str(old)]


async def test_what_is_too_old_is_trimmed_to_the_entry(bench: Bench) -> None:
    await bench.publisher.reconcile()
    seconds, _ = await bench.redis.time()
    for stream, life in (
        (REVOCATION_STREAM, LIFE + KEEP_AFTER_EXPIRY),
        (DELETED_USERS_STREAM, DELETED_LIFE),
    ):
        for late in (timedelta(minutes=1), timedelta(minutes=-1)):
            entry = f"{int((seconds - (life + late).total_seconds()) * 1000)}-0"
            await bench.redis.xadd(stream, {"m": "late" if late > timedelta() else "live"}, entry)
    await bench.publisher.publish_pending_of_user(await bench.delete_user())
    for stream in (REVOCATION_STREAM, DELETED_USERS_STREAM):
        entries: Any = await bench.redis.xrange(stream)
        texts = [fields[b"m"] for _, fields in entries]
        assert (texts[0], len(texts)) == (b"live", 2)


async def test_rows_past_their_life_are_removed(bench: Bench) -> None:
    await bench.revoke(3, age=LIFE + timedelta(hours=2))
    await bench.delete_user(age=timedelta(days=29))
    kept = await bench.revoke(2, age=LIFE + timedelta(minutes=30))
    await bench.settle()
    rows = await bench.db.fetch("select subject from revocations where kind = 'session'")
    assert sorted(row["subject"] for row in rows) == sorted(kept)
    assert await bench.db.fetchval("select count(*) from revocations") == 3


async def test_the_gauge_tells_what_is_pending(bench: Bench) -> None:
    registry = CollectorRegistry()
    register_publisher_metrics(registry, bench.publisher)
    await bench.publisher.reconcile()
    await bench.revoke(2)
    await bench.publisher.reconcile()
    assert registry.get_sample_value("revocations_pending") == 2
