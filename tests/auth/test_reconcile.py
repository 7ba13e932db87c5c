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
from tests.auth.publisher_harness import LIFE, PublisherHarness
from tests.conftest import REVOCATION_KEY


async def test_round_without_pending_rows_changes_no_stream(harness: PublisherHarness) -> None:
    await harness.revoke(5)
    await harness.delete_user()
    await harness.publish_all()
    before = [
        await harness.redis.xrange(stream) for stream in (REVOCATION_STREAM, DELETED_USERS_STREAM)
    ]
    epoch = await harness.epoch()
    await harness.publish_all()
    assert [
        await harness.redis.xrange(stream) for stream in (REVOCATION_STREAM, DELETED_USERS_STREAM)
    ] == before
    assert await harness.epoch() == epoch


async def test_rows_lost_in_a_failover_are_published_again(harness: PublisherHarness) -> None:
    await harness.publisher.reconcile()
    kept = await harness.revoke(4)
    await harness.publish_all()
    snapshot = await harness.dump(REVOCATION_STREAM, REVOCATION_HEAD)
    lost = await harness.revoke(3)
    await harness.publish_all()
    await harness.restore(snapshot)
    assert not set(lost) & set(await harness.names())
    epoch = await harness.epoch()
    later = await harness.revoke()
    await harness.publish_all()
    assert set(await harness.names()) == {*kept, *lost, *later}
    assert await harness.epoch() == epoch


async def test_single_lost_entry_is_published_again(harness: PublisherHarness) -> None:
    names = await harness.revoke(6)
    await harness.publish_all()
    entries: Any = await harness.redis.xrange(REVOCATION_STREAM)
    await harness.redis.xdel(REVOCATION_STREAM, entries[1][0])
    assert len(await harness.names()) < 6
    await harness.publisher.reconcile()
    assert set(await harness.names()) == set(names)
    newest: Any = await harness.redis.xrevrange(REVOCATION_STREAM, count=1)
    assert await harness.redis.hget(REVOCATION_HEAD, "last") == newest[0][0]


async def test_publish_without_an_epoch_is_pending(harness: PublisherHarness) -> None:
    await harness.publisher.reconcile()
    await harness.redis.flushall()
    user = await harness.delete_user()
    with pytest.raises(RevocationPending):
        await harness.publisher.publish_pending_of_user(user)
    assert await harness.redis.keys() == []


async def test_young_row_is_left_to_its_handler(harness: PublisherHarness) -> None:
    await harness.publisher.reconcile()
    names = await harness.revoke()
    harness.clock.advance(minutes=-5)  # no clock tells its age
    await harness.publisher.reconcile()
    assert await harness.names() == []
    assert harness.publisher.pending_count == 1
    await harness.publisher.reconcile()
    assert await harness.names() == names
    assert harness.publisher.pending_count == 0


async def test_new_replica_publishes_rows_that_another_left(harness: PublisherHarness) -> None:
    await harness.publisher.reconcile()
    names = await harness.revoke(1200)
    replica = harness.another()
    for _ in range(2):
        await replica.reconcile()
    assert sorted(await harness.names()) == sorted(names)
    assert await harness.db.fetchval("select count(*) from revocations where entry is null") == 0


async def test_deleted_user_is_published_in_both_streams(harness: PublisherHarness) -> None:
    await harness.publisher.reconcile()
    user, _ = await harness.delete_user(), await harness.revoke()
    await harness.publisher.publish_pending_of_user(user)
    [told] = await harness.published(DELETED_USERS_STREAM)
    assert (told.id, told.reason, told.generation) == (str(user), USER_DELETED, 3)
    assert (await harness.published())[0].id == str(user)
    # a cache forgets a user whose tokens are long dead
    assert told.expires_at < harness.clock.now() + timedelta(hours=1)
    row: Any = await harness.db.fetchrow("select * from revocations where published_at is not null")
    assert row["expires_at"] > harness.clock.now() + timedelta(days=29)


async def test_lost_deleted_users_are_published_again_for_thirty_days(
    harness: PublisherHarness,
) -> None:
    old = await harness.delete_user(age=timedelta(days=29))
    await harness.delete_user(age=timedelta(days=31))
    await harness.mark_all()
    await harness.publisher.reconcile()
    assert await harness.names(DELETED_USERS_STREAM) == [str(old)]
    assert await harness.names() == []  # their tokens are dead
    await harness.redis.delete(DELETED_USERS_STREAM)
    await harness.publisher.reconcile()
    assert await harness.names(DELETED_USERS_STREAM) == [str(old)]


async def test_publish_trims_expired_entries_exactly(harness: PublisherHarness) -> None:
    await harness.publisher.reconcile()
    seconds, _ = await harness.redis.time()
    for stream, life in (
        (REVOCATION_STREAM, LIFE + KEEP_AFTER_EXPIRY),
        (DELETED_USERS_STREAM, DELETED_LIFE),
    ):
        for late in (timedelta(minutes=1), timedelta(minutes=-1)):
            entry = f"{int((seconds - (life + late).total_seconds()) * 1000)}-0"
            await harness.redis.xadd(stream, {"m": "late" if late > timedelta() else "live"}, entry)
    await harness.publisher.publish_pending_of_user(await harness.delete_user())
    for stream in (REVOCATION_STREAM, DELETED_USERS_STREAM):
        entries: Any = await harness.redis.xrange(stream)
        texts = [fields[b"m"] for _, fields in entries]
        assert (texts[0], len(texts)) == (b"live", 2)


async def test_round_removes_expired_rows(harness: PublisherHarness) -> None:
    await harness.revoke(3, age=LIFE + timedelta(hours=2))
    await harness.delete_user(age=timedelta(days=29))
    kept = await harness.revoke(2, age=LIFE + timedelta(minutes=30))
    await harness.publish_all()
    rows = await harness.db.fetch("select subject from revocations where kind = 'session'")
    assert sorted(row["subject"] for row in rows) == sorted(kept)
    assert await harness.db.fetchval("select count(*) from revocations") == 3


async def test_gauge_shows_pending_rows(harness: PublisherHarness) -> None:
    registry = CollectorRegistry()
    register_publisher_metrics(registry, harness.publisher)
    await harness.publisher.reconcile()
    await harness.revoke(2)
    await harness.publisher.reconcile()
    assert registry.get_sample_value("revocations_pending") == 2


async def test_publisher_repr_shows_no_key(harness: PublisherHarness) -> None:
    shown = repr((harness.publisher, harness.stream()))
    assert REVOCATION_KEY not in shown
