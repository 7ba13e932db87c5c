"""An epoch begins with everything that is revoked, and once, however many replicas there are."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from auth_service.revocation import stream_comparison
from auth_service.revocation.model import StoredRevocation
from auth_service.revocation.stream import EpochMismatch, RevocationStream, StreamState
from auth_service.revocation.stream_rebuild import StreamRebuild
from shared.revocation.message import (
    DELETED_USERS_STREAM,
    REVOCATION_HEAD,
    REVOCATION_STREAM,
    Revocation,
)
from tests.auth.publisher_harness import LIFE, PublisherHarness


async def test_first_round_starts_an_epoch_with_every_live_row(harness: PublisherHarness) -> None:
    await harness.revoke(1, age=LIFE + timedelta(minutes=16))
    # a clock that steps back makes these live again
    live = await harness.revoke(2, age=LIFE + timedelta(minutes=14))
    live += await harness.revoke(3)
    await harness.mark_all()
    live += await harness.revoke(4)
    await harness.publisher.reconcile()
    assert await harness.epoch() is not None
    assert await harness.names() == live
    entries: Any = await harness.redis.xrange(REVOCATION_STREAM)
    assert await harness.redis.hget(REVOCATION_HEAD, "last") == entries[-1][0]
    assert max(len(fields[b"m"]) for _, fields in entries) <= 512
    assert len(entries) < 9  # several share a message


@pytest.fixture
def few_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_comparison, "COMPARED_ROWS", 3)
    monkeypatch.setattr(stream_comparison, "COMPARED_DELETED_USERS", 3)


async def publish_and_lose(harness: PublisherHarness, stream: str) -> list[str]:
    """Publish more than is compared, all of one moment; then Redis has none of it."""
    await harness.publisher.reconcile()
    snapshot = await harness.dump(REVOCATION_HEAD)
    if stream == REVOCATION_STREAM:
        names = await harness.revoke(8)
    else:
        names = [str(await harness.delete_user()) for _ in range(8)]
    await harness.publish_all()
    await harness.redis.delete(stream)
    await harness.restore(snapshot)
    return names


@pytest.mark.usefixtures("few_compared")
@pytest.mark.parametrize("stream", [REVOCATION_STREAM, DELETED_USERS_STREAM])
async def test_more_lost_rows_than_compared_start_an_epoch(
    harness: PublisherHarness, stream: str
) -> None:
    names, epoch = await publish_and_lose(harness, stream), await harness.epoch()
    await harness.publisher.reconcile()
    assert set(await harness.names(stream)) == set(names)
    second = await harness.epoch()
    assert second != epoch
    for some in ("id <= newest - 3", "id > newest - 3"):  # are stored in another order
        await harness.db.execute(
            "update revocations set published_at = now() "
            f"from (select max(id) as newest from revocations) whole where {some}"
        )
        await harness.publish_all()
        assert await harness.epoch() == second  # once was enough


@pytest.mark.usefixtures("few_compared")
async def test_replica_that_read_before_another_started_an_epoch_starts_none(
    harness: PublisherHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish_and_lose(harness, REVOCATION_STREAM)
    late = harness.another()
    epochs: list[bytes | None] = []
    look = RevocationStream.read_state

    async def look_late(
        stream: RevocationStream, rows: Sequence[StoredRevocation] = ()
    ) -> StreamState:
        if stream is late._stream and not epochs:  # its rows have been read
            await harness.publisher.reconcile()
            epochs.append(await harness.epoch())
        return await look(stream, rows)

    monkeypatch.setattr(RevocationStream, "read_state", look_late)
    await late.reconcile()
    assert epochs == [await harness.epoch()]


@pytest.mark.parametrize(
    "lost", [(REVOCATION_STREAM, REVOCATION_HEAD), (REVOCATION_STREAM,), (REVOCATION_HEAD,)]
)
async def test_lost_stream_or_head_starts_an_epoch(
    harness: PublisherHarness, lost: tuple[str, ...]
) -> None:
    names = await harness.revoke(3)
    await harness.publish_all()
    before = await harness.epoch()
    await harness.redis.delete(*lost)
    await harness.publisher.reconcile()
    assert set(await harness.names()) == set(names)
    assert await harness.epoch() not in {None, before}


async def test_row_committed_during_a_rebuild_is_published_after_it(
    harness: PublisherHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, names = StreamRebuild.start_epoch, []

    async def late_begin(self: StreamRebuild, found: str) -> bool:
        names.extend(await harness.revoke())  # the live rows have been read
        return await begin(self, found)

    monkeypatch.setattr(StreamRebuild, "start_epoch", late_begin)
    await harness.publisher.reconcile()
    assert await harness.names() == names


async def test_concurrent_replicas_start_one_epoch(harness: PublisherHarness) -> None:
    names = await harness.revoke(20)
    replicas = [harness.another() for _ in range(4)]
    await asyncio.gather(*(replica.reconcile() for replica in replicas))
    epoch = await harness.epoch()
    for replica in replicas:
        await replica.reconcile()
    assert await harness.epoch() == epoch
    assert set(await harness.names()) == set(names)  # telling one twice would do no harm


async def test_rebuild_after_another_appends_no_entry(harness: PublisherHarness) -> None:
    await harness.revoke(3)
    await harness.publisher.reconcile()
    length = await harness.redis.xlen(REVOCATION_STREAM)
    assert not await harness.another()._rebuild_stream()
    assert await harness.redis.xlen(REVOCATION_STREAM) == length


async def test_concurrent_start_epoch_has_one_winner(harness: PublisherHarness) -> None:
    stream = harness.stream()
    one, two = (StreamRebuild(stream, harness.batched, epoch) for epoch in ("one", "two"))
    assert [await one.start_epoch(""), await two.start_epoch("")] == [True, False]
    assert await harness.epoch() == b"one"


@pytest.mark.parametrize("then", ["append", "begin"])
async def test_rebuild_that_lost_an_entry_starts_no_epoch(
    harness: PublisherHarness, then: str
) -> None:
    stream = harness.stream()
    rebuild, at = StreamRebuild(stream, harness.batched, "one"), harness.clock.now()
    rows = [
        StoredRevocation(n, Revocation("session", str(uuid4()), "logout", at + LIFE), at, None)
        for n in range(2)
    ]
    await rebuild.append(rows[:1])
    await harness.redis.flushall()
    if then == "append":
        with pytest.raises(EpochMismatch):
            await rebuild.append(rows[1:])
    else:
        assert not await rebuild.start_epoch("")
    assert await harness.epoch() is None
