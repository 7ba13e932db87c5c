"""An epoch begins with everything that is revoked, and once, however many replicas there are."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from auth_service.revocation import service
from auth_service.revocation.backlog import EpochGone, Found
from auth_service.revocation.model import StoredRevocation
from auth_service.revocation.seeding import Seeding
from shared.revocation.message import DELETED, HEAD, LOG, Revocation
from tests.auth.publisher_harness import LIFE, Bench


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
