"""The backlog is whole whatever Redis forgets: the publisher's round, step by step."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from auth_service.revocation import service
from auth_service.revocation.backlog import EpochGone, Found
from auth_service.revocation.errors import RevocationPending
from auth_service.revocation.metrics import watch_publisher
from auth_service.revocation.model import DELETED_LIFE, StoredRevocation
from auth_service.revocation.seeding import Seeding
from deploy.local.valkey import Valkey
from shared.revocation.message import DELETED, HEAD, LOG, USER_DELETED, Revocation
from shared.revocation.mirror import KEEP_AFTER_EXPIRY
from tests.auth.rounds import LIFE, Bench, open_bench
from tests.support.clock import MovableClock
from tests.support.database import Connection


@pytest.fixture
async def bench(
    auth_dsn: str, auth_db: Connection, valkey: Valkey, redis: Redis, clock: MovableClock
) -> AsyncIterator[Bench]:
    async with open_bench(auth_dsn, auth_db, valkey, redis, clock) as made:
        yield made


async def test_the_first_round_begins_an_epoch_with_everything_that_lives(bench: Bench) -> None:
    await bench.revoke(1, age=LIFE + timedelta(minutes=16))
    # a clock that steps back makes these live again
    live = await bench.revoke(2, age=LIFE + timedelta(minutes=14))
    live += await bench.revoke(3)
    await bench.mark_all()
    live += await bench.revoke(4)
    await bench.publisher.maintain()
    assert await bench.epoch() is not None
    assert await bench.names() == live
    entries: Any = await bench.redis.xrange(LOG)
    assert await bench.redis.hget(HEAD, "last") == entries[-1][0]
    assert max(len(fields[b"m"]) for _, fields in entries) <= 512
    assert len(entries) < 9  # several share a message


async def test_a_quiet_round_changes_nothing(bench: Bench) -> None:
    await bench.revoke(5)
    await bench.delete_user()
    await bench.settle()
    before = [await bench.redis.xrange(stream) for stream in (LOG, DELETED)]
    epoch = await bench.epoch()
    await bench.settle()
    assert [await bench.redis.xrange(stream) for stream in (LOG, DELETED)] == before
    assert await bench.epoch() == epoch


async def test_what_the_log_lost_is_appended_again(bench: Bench) -> None:
    await bench.publisher.maintain()
    kept = await bench.revoke(4)
    await bench.settle()
    snapshot = await bench.take(LOG, HEAD)
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
    entries: Any = await bench.redis.xrange(LOG)
    await bench.redis.xdel(LOG, entries[1][0])
    assert len(await bench.names()) < 6
    await bench.publisher.maintain()
    assert set(await bench.names()) == set(names)
    newest: Any = await bench.redis.xrevrange(LOG, count=1)
    assert await bench.redis.hget(HEAD, "last") == newest[0][0]


@pytest.fixture
def few_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "COMPARED", 3)
    monkeypatch.setattr(service, "COMPARED_DELETED", 3)


async def lose(bench: Bench, stream: str) -> list[str]:
    """Publish more than is compared, all of one moment; then Redis has none of it."""
    await bench.publisher.maintain()
    snapshot = await bench.take(HEAD)
    if stream == LOG:
        names = await bench.revoke(8)
    else:
        names = [str(await bench.delete_user()) for _ in range(8)]
    await bench.settle()
    await bench.redis.delete(stream)
    await bench.put_back(snapshot)
    return names


@pytest.mark.usefixtures("few_compared")
@pytest.mark.parametrize("stream", [LOG, DELETED])
async def test_when_more_is_lost_than_is_compared_an_epoch_begins(
    bench: Bench, stream: str
) -> None:
    names, epoch = await lose(bench, stream), await bench.epoch()
    await bench.publisher.maintain()
    assert set(await bench.names(stream)) == set(names)
    second = await bench.epoch()
    assert second != epoch
    for some in ("id <= newest - 3", "id > newest - 3"):  # are stored in another order
        await bench.db.execute(
            "update revocations set published_at = now() "
            f"from (select max(id) as newest from revocations) whole where {some}"
        )
        await bench.settle()
        assert await bench.epoch() == second  # once was enough


@pytest.mark.usefixtures("few_compared")
async def test_who_read_what_was_lost_before_another_began_an_epoch_begins_none(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lose(bench, LOG)
    late = bench.another()
    epochs: list[bytes | None] = []
    look = late._backlog.look

    async def look_late(rows: Sequence[StoredRevocation] = ()) -> Found:
        if not epochs:  # its rows have been read
            await bench.publisher.maintain()
            epochs.append(await bench.epoch())
        return await look(rows)

    monkeypatch.setattr(late._backlog, "look", look_late)
    await late.maintain()
    assert epochs == [await bench.epoch()]


@pytest.mark.parametrize("lost", [(LOG, HEAD), (LOG,), (HEAD,)])
async def test_a_lost_stream_or_head_begins_an_epoch(bench: Bench, lost: tuple[str, ...]) -> None:
    names = await bench.revoke(3)
    await bench.settle()
    before = await bench.epoch()
    await bench.redis.delete(*lost)
    await bench.publisher.maintain()
    assert set(await bench.names()) == set(names)
    assert await bench.epoch() not in {None, before}


async def test_what_is_committed_while_an_epoch_begins_is_published_in_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, names = Seeding.begin, []

    async def late_begin(self: Seeding, found: str) -> bool:
        names.extend(await bench.revoke())  # the live rows have been read
        return await begin(self, found)

    monkeypatch.setattr(Seeding, "begin", late_begin)
    await bench.publisher.maintain()
    assert await bench.names() == names


async def test_replicas_at_once_begin_one_epoch(bench: Bench) -> None:
    names = await bench.revoke(20)
    replicas = [bench.another() for _ in range(4)]
    await asyncio.gather(*(replica.maintain() for replica in replicas))
    epoch = await bench.epoch()
    for replica in replicas:
        await replica.maintain()
    assert await bench.epoch() == epoch
    assert set(await bench.names()) == set(names)  # telling one twice would do no harm


async def test_who_comes_too_late_to_begin_an_epoch_appends_nothing(bench: Bench) -> None:
    await bench.revoke(3)
    await bench.publisher.maintain()
    length = await bench.redis.xlen(LOG)
    assert not await bench.another()._begin_epoch()
    assert await bench.redis.xlen(LOG) == length


async def test_of_two_epochs_that_begin_at_once_one_wins(bench: Bench) -> None:
    backlog = bench.backlog()
    one, two = (Seeding(backlog, bench.batched, epoch) for epoch in ("one", "two"))
    assert [await one.begin(""), await two.begin("")] == [True, False]
    assert await bench.epoch() == b"one"


async def test_nothing_is_published_in_an_epoch_that_is_gone(bench: Bench) -> None:
    await bench.publisher.maintain()
    await bench.redis.flushall()
    user = await bench.delete_user()
    with pytest.raises(RevocationPending):
        await bench.publisher.publish_for(user)
    assert await bench.redis.keys() == []


@pytest.mark.parametrize("then", ["append", "begin"])
async def test_an_epoch_does_not_begin_with_a_hole(bench: Bench, then: str) -> None:
    backlog = bench.backlog()
    seeding, at = Seeding(backlog, bench.batched, "one"), bench.clock.now()
    rows = [
        StoredRevocation(n, Revocation("session", str(uuid4()), "logout", at + LIFE), at, None)
        for n in range(2)
    ]
    await seeding.append(rows[:1])
    await bench.redis.flushall()
    if then == "append":
        with pytest.raises(EpochGone):
            await seeding.append(rows[1:])
    else:
        assert not await seeding.begin("")
    assert await bench.epoch() is None


async def test_what_is_young_is_left_to_its_handler(bench: Bench) -> None:
    await bench.publisher.maintain()
    names = await bench.revoke()
    bench.clock.advance(minutes=-5)  # no clock tells its age
    await bench.publisher.maintain()
    assert await bench.names() == []
    assert bench.publisher.pending == 1
    await bench.publisher.maintain()
    assert await bench.names() == names
    assert bench.publisher.pending == 0


async def test_a_replica_that_starts_publishes_what_another_left(bench: Bench) -> None:
    await bench.publisher.maintain()
    names = await bench.revoke(1200)
    replica = bench.another()
    for _ in range(2):
        await replica.maintain()
    assert sorted(await bench.names()) == sorted(names)
    assert await bench.db.fetchval("select count(*) from revocations where entry is null") == 0


async def test_a_deleted_user_is_told_in_a_stream_of_its_own(bench: Bench) -> None:
    await bench.publisher.maintain()
    user, _ = await bench.delete_user(), await bench.revoke()
    await bench.publisher.publish_for(user)
    [told] = await bench.told(DELETED)
    assert (told.id, told.reason, told.generation) == (str(user), USER_DELETED, 3)
    assert (await bench.told())[0].id == str(user)
    # a mirror forgets a user whose tokens are long dead
    assert told.expires_at < bench.clock.now() + timedelta(hours=1)
    row: Any = await bench.db.fetchrow("select * from revocations where published_at is not null")
    assert row["expires_at"] > bench.clock.now() + timedelta(days=29)


async def test_deleted_users_are_told_again_for_thirty_days(bench: Bench) -> None:
    old = await bench.delete_user(age=timedelta(days=29))
    await bench.delete_user(age=timedelta(days=31))
    await bench.mark_all()
    await bench.publisher.maintain()
    assert await bench.names(DELETED) == [str(old)]
    assert await bench.names() == []  # their tokens are dead
    await bench.redis.delete(DELETED)
    await bench.publisher.maintain()
    assert await bench.names(DELETED) == [str(old)]


async def test_what_is_too_old_is_trimmed_to_the_entry(bench: Bench) -> None:
    await bench.publisher.maintain()
    seconds, _ = await bench.redis.time()
    for stream, life in ((LOG, LIFE + KEEP_AFTER_EXPIRY), (DELETED, DELETED_LIFE)):
        for late in (timedelta(minutes=1), timedelta(minutes=-1)):
            entry = f"{int((seconds - (life + late).total_seconds()) * 1000)}-0"
            await bench.redis.xadd(stream, {"m": "late" if late > timedelta() else "live"}, entry)
    await bench.publisher.publish_for(await bench.delete_user())
    for stream in (LOG, DELETED):
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
    watch_publisher(registry, bench.publisher)
    await bench.publisher.maintain()
    await bench.revoke(2)
    await bench.publisher.maintain()
    assert registry.get_sample_value("revocations_pending") == 2
