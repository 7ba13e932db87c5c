"""An epoch begins with everything that is revoked, and once, however many replicas there are."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from auth_service.revocation import stream_comparison
from auth_service.revocation.model import StoredRevocation
from auth_service.revocation.stream import EpochMismatch, StreamState
from auth_service.revocation.stream_rebuild import StreamRebuild
from shared.revocation.message import (
    DELETED_USERS_STREAM,
    REVOCATION_HEAD,
    REVOCATION_STREAM,
    Revocation,
)
from tests.auth.publisher_harness import LIFE, Bench


async def test_the_first_round_begins_an_epoch_with_everything_that_lives(bench: Bench) -> None:
    await bench.revoke(1, age=LIFE + timedelta(minutes=16))
    # a clock that steps back makes these live again
    live = await bench.revoke(2, age=LIFE + timedelta(minutes=14))
    live += await bench.revoke(3)
    await bench.mark_all()
    live += await bench.revoke(4)
    await bench.publisher.reconcile()
    assert await bench.epoch() is not None
    assert await bench.names() == live
    entries: Any = await bench.redis.xrange(REVOCATION_STREAM)
    assert await bench.redis.hget(REVOCATION_HEAD, "last") == entries[-1][0]
    assert max(len(fields[b"m"]) for _, fields in entries) <= 512
    assert len(entries) < 9  # several share a message


@pytest.fixture
def few_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_comparison, "COMPARED_ROWS", 3)
    monkeypatch.setattr(stream_comparison, "COMPARED_DELETED_USERS", 3)


async def lose(bench: Bench, stream: str) -> list[str]:
    """Publish more than is compared, all of one moment; then Redis has none of it."""
    await bench.publisher.reconcile()
    snapshot = await bench.take(REVOCATION_HEAD)
    if stream == REVOCATION_STREAM:
        names = await bench.revoke(8)
    else:
        names = [str(await bench.delete_user()) for _ in range(8)]
    await bench.settle()
    await bench.redis.delete(stream)
    await bench.put_back(snapshot)
    return names


@pytest.mark.usefixtures("few_compared")
@pytest.mark.parametrize("stream", [REVOCATION_STREAM, DELETED_USERS_STREAM])
async def test_when_more_is_lost_than_is_compared_an_epoch_begins(
    bench: Bench, stream: str
) -> None:
    names, epoch = await lose(bench, stream), await bench.epoch()
    await bench.publisher.reconcile()
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
    await lose(bench, REVOCATION_STREAM)
    late = bench.another()
    epochs: list[bytes | None] = []
    look = late._stream.read_state

    async def look_late(rows: Sequence[StoredRevocation] = ()) -> StreamState:
        if not epochs:  # its rows have been read
            await bench.publisher.reconcile()
            epochs.append(await bench.epoch())
        return await look(rows)

    monkeypatch.setattr(late._stream, "read_state", look_late)
    await late.reconcile()
    assert epochs == [await bench.epoch()]


@pytest.mark.parametrize(
    "lost", [(REVOCATION_STREAM, REVOCATION_HEAD), (REVOCATION_STREAM,), (REVOCATION_HEAD,)]
)
async def test_a_lost_stream_or_head_begins_an_epoch(bench: Bench, lost: tuple[str, ...]) -> None:
    names = await bench.revoke(3)
    await bench.settle()
    before = await bench.epoch()
    await bench.redis.delete(*lost)
    await bench.publisher.reconcile()
    assert set(await bench.names()) == set(names)
    assert await bench.epoch() not in {None, before}


async def test_what_is_committed_while_an_epoch_begins_is_published_in_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, names = StreamRebuild.start_epoch, []

    async def late_begin(self: StreamRebuild, found: str) -> bool:
        names.extend(await bench.revoke())  # the live rows have been read
        return await begin(self, found)

    monkeypatch.setattr(StreamRebuild, "start_epoch", late_begin)
    await bench.publisher.reconcile()
    assert await bench.names() == names


async def test_replicas_at_once_begin_one_epoch(bench: Bench) -> None:
    names = await bench.revoke(20)
    replicas = [bench.another() for _ in range(4)]
    await asyncio.gather(*(replica.reconcile() for replica in replicas))
    epoch = await bench.epoch()
    for replica in replicas:
        await replica.reconcile()
    assert await bench.epoch() == epoch
    assert set(await bench.names()) == set(names)  # telling one twice would do no harm


async def test_who_comes_too_late_to_begin_an_epoch_appends_nothing(bench: Bench) -> None:
    await bench.revoke(3)
    await bench.publisher.reconcile()
    length = await bench.redis.xlen(REVOCATION_STREAM)
    assert not await bench.another()._rebuild_stream()
    assert await bench.redis.xlen(REVOCATION_STREAM) == length


async def test_of_two_epochs_that_begin_at_once_one_wins(bench: Bench) -> None:
    stream = bench.stream()
    one, two = (StreamRebuild(stream, bench.batched, epoch) for epoch in ("one", "two"))
    assert [await one.start_epoch(""), await two.start_epoch("")] == [True, False]
    assert await bench.epoch() == b"one"


@pytest.mark.parametrize("then", ["append", "begin"])
async def test_an_epoch_does_not_begin_with_a_hole(bench: Bench, then: str) -> None:
    stream = bench.stream()
    rebuild, at = StreamRebuild(stream, bench.batched, "one"), bench.clock.now()
    rows = [
        StoredRevocation(n, Revocation("session", str(uuid4()), "logout", at + LIFE), at, None)
        for n in range(2)
    ]
    await rebuild.append(rows[:1])
    await bench.redis.flushall()
    if then == "append":
        with pytest.raises(EpochMismatch):
            await rebuild.append(rows[1:])
    else:
        assert not await rebuild.start_epoch("")
    assert await bench.epoch() is None
