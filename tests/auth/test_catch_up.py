"""After an outage publishers run rounds until everything revoked meanwhile is published."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from auth_service.revocation import repository, service
from auth_service.revocation.errors import RevocationPending
from auth_service.revocation.service import (
    CATCH_UP_PAUSE_SECONDS,
    CATCH_UP_SECONDS,
    ROUND_PAUSE_SECONDS,
    Publisher,
)
from auth_service.revocation.stream import RevocationStream
from shared.errors import ServiceUnavailable
from tests.auth.publisher_harness import PublisherHarness
from tests.support.fault_injection import block_calls, fail_calls

if TYPE_CHECKING:
    from collections.abc import Iterator

Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
async def first_round(harness: PublisherHarness) -> None:
    """There is an epoch, and everything is published."""
    await harness.publisher.reconcile()
    harness.clock.advance(seconds=CATCH_UP_SECONDS)


@pytest.fixture
def frequent_signs(monkeypatch: Patch) -> None:
    monkeypatch.setattr(service, "ALIVE_SECONDS", 0.1)


def answer_pings(monkeypatch: Patch, *answers: bool) -> None:
    """Redis answers so in turn; in the end it answers."""
    left: Iterator[bool] = iter(answers)

    async def answer(_self: Publisher) -> bool:
        return next(left, True)

    monkeypatch.setattr(Publisher, "_redis_answers", answer)


async def test_round_after_an_outage_publishes_everything_before_it_is_complete(
    harness: PublisherHarness, monkeypatch: Patch
) -> None:
    publish = RevocationStream.publish
    seen = []

    async def watched(self: RevocationStream, epoch: str, *rest: Any) -> Any:
        seen.append(await harness.rounds())
        return await publish(self, epoch, *rest)

    monkeypatch.setattr(RevocationStream, "publish", watched)
    monkeypatch.setattr(service, "PAGE_SIZE", 2)
    names = await harness.revoke(5)  # young as they are
    answer_pings(monkeypatch, False, False)
    await harness.publisher.reconcile()
    assert await harness.names() == names
    assert len(seen) == 3
    assert all(one.complete < one.started for one in seen)
    assert await harness.is_complete()


async def test_rounds_after_an_outage_follow_quickly(
    harness: PublisherHarness, monkeypatch: Patch
) -> None:
    assert harness.publisher.pause() == ROUND_PAUSE_SECONDS
    answer_pings(monkeypatch, False, False)
    await harness.publisher.reconcile()
    assert harness.publisher.pause() == CATCH_UP_PAUSE_SECONDS
    harness.clock.advance(seconds=CATCH_UP_SECONDS)
    assert harness.publisher.pause() == ROUND_PAUSE_SECONDS


async def test_outage_needs_more_than_one_slow_ping(
    harness: PublisherHarness, monkeypatch: Patch
) -> None:
    answer_pings(monkeypatch, False, True)
    await harness.publisher.reconcile()
    assert harness.publisher.pause() == ROUND_PAUSE_SECONDS


async def test_outage_is_assumed_after_a_failed_publish(
    harness: PublisherHarness, monkeypatch: Patch
) -> None:
    """A slow database may keep the rounds from noticing it."""
    user = await harness.delete_user()
    fail_calls(monkeypatch, RevocationStream, "publish")
    with pytest.raises(RevocationPending):
        await harness.publisher.publish_pending_of_user(user)
    assert harness.publisher.pause() == CATCH_UP_PAUSE_SECONDS


async def test_first_round_of_a_publisher_publishes_what_another_left(
    harness: PublisherHarness,
) -> None:
    names = await harness.revoke(3)
    replica = harness.another()
    await replica.reconcile()
    assert await harness.names() == names
    assert await harness.is_complete()


async def test_round_without_pending_rows_is_complete_at_once(harness: PublisherHarness) -> None:
    for _ in range(2):
        before = await harness.rounds()
        await harness.publisher.reconcile()
        now = await harness.rounds()
        assert now.complete == now.started == before.started + 1


async def test_round_that_leaves_young_rows_completes_the_previous_one(
    harness: PublisherHarness,
) -> None:
    for _ in range(3):
        before = await harness.rounds()
        await harness.revoke()
        await harness.publisher.reconcile()
        now = await harness.rounds()
        assert (now.started, now.complete) == (before.started + 1, before.started)


async def test_round_interrupted_by_redis_restarts_once_it_is_back(
    harness: PublisherHarness, monkeypatch: Patch
) -> None:
    fail_calls(monkeypatch, RevocationStream, "read_state")
    answer_pings(monkeypatch, True, False, False, False)
    names = await harness.revoke(3)
    await harness.publisher.reconcile()
    assert await harness.names() == names
    assert await harness.is_complete()


@pytest.mark.usefixtures("frequent_signs")
async def test_publisher_waiting_for_database_stays_alive_and_completes_no_round(
    harness: PublisherHarness, monkeypatch: Patch
) -> None:
    names = await harness.revoke()
    held, go_on = block_calls(monkeypatch, repository, "pending_up_to")
    replica = harness.another()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(replica.reconcile())
        await held.wait()
        before = await harness.rounds()
        for _ in range(2):
            now = await harness.shown_alive()
            assert now.complete == before.complete < before.started
        go_on.set()
    assert await harness.names() == names
    assert (await harness.rounds()).complete == before.started


@pytest.mark.usefixtures("frequent_signs")
async def test_publisher_counting_unread_rows_stays_alive_once_redis_is_back(
    harness: PublisherHarness, monkeypatch: Patch
) -> None:
    held, go_on = block_calls(monkeypatch, repository, "pending_summary")
    answer_pings(monkeypatch, False, False)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(harness.publisher.reconcile())
        await held.wait()
        await harness.shown_alive()
        go_on.set()


async def test_round_that_the_database_ends_is_not_complete(
    harness: PublisherHarness, monkeypatch: Patch
) -> None:
    before = await harness.rounds()
    fail_calls(monkeypatch, repository, "pending_up_to", times=2)
    names = await harness.revoke(3)
    for _ in range(2):
        with pytest.raises(ServiceUnavailable):
            await harness.publisher.reconcile()
        now = await harness.rounds()
        assert now.complete == before.complete < now.started
    await harness.publisher.reconcile()
    assert await harness.names() == names


async def test_row_committed_during_a_round_is_left_to_the_next(
    harness: PublisherHarness, monkeypatch: Patch
) -> None:
    held, go_on = block_calls(monkeypatch, repository, "pending_up_to")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(harness.publisher.reconcile())
        await held.wait()
        user = await harness.delete_user()
        with monkeypatch.context() as away:
            fail_calls(away, RevocationStream, "publish")
            with pytest.raises(RevocationPending):
                await harness.publisher.publish_pending_of_user(user)
        go_on.set()
    assert await harness.names() == []
    await harness.publisher.reconcile()
    assert await harness.names() == [str(user)]
    assert await harness.is_complete()


async def test_row_read_too_slowly_is_published_by_the_next_round(
    harness: PublisherHarness, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(service, "PUBLISH_TIMEOUT_SECONDS", 0.1)
    block_calls(monkeypatch, repository, "live_of_user")
    user = await harness.delete_user()
    with pytest.raises(RevocationPending):
        await harness.publisher.publish_pending_of_user(user)
    await harness.publisher.reconcile()
    assert await harness.names() == [str(user)]


async def test_row_a_handler_could_not_publish_is_published_by_another_replica(
    harness: PublisherHarness, monkeypatch: Patch
) -> None:
    user = await harness.delete_user()
    with monkeypatch.context() as away:
        fail_calls(away, RevocationStream, "publish")
        with pytest.raises(RevocationPending):
            await harness.another().publish_pending_of_user(user)
    for _ in range(2):  # its first round may leave the row to its handler
        await harness.publisher.reconcile()
    assert await harness.names() == [str(user)]


async def test_row_marked_during_a_round_is_compared_by_it(
    harness: PublisherHarness, monkeypatch: Patch
) -> None:
    """A failover lost it after it was published and before it was marked."""
    names = await harness.revoke()
    [row] = await repository.pending_up_to(harness.publisher.database, 2**31, 9)
    read = repository.pending_summary

    async def mark_first(database: Any) -> Any:
        await repository.mark_published(database, {row.id: "1-1"}, harness.clock.now())
        return await read(database)

    monkeypatch.setattr(repository, "pending_summary", mark_first)
    await harness.publisher.reconcile()
    assert await harness.names() == names
    assert await harness.is_complete()


async def test_complete_round_of_a_lost_counter_is_ignored(harness: PublisherHarness) -> None:
    await harness.stream().complete_round(10**6)
    assert await harness.is_complete()
    for _ in range(3):
        await harness.publisher.reconcile()
    before = await harness.rounds()
    await harness.stream().complete_round(1)
    assert await harness.rounds() == before  # an old round that ends late


async def test_counter_that_redis_has_lost_begins_anew(harness: PublisherHarness) -> None:
    for _ in range(3):
        await harness.publisher.reconcile()
    names = await harness.revoke()
    await harness.redis.hdel("revocations:head", "begun", "told")
    await harness.publisher.reconcile()  # the round before had a higher number
    assert await harness.names() == names
    assert await harness.rounds() == (1, 1)


async def test_row_published_and_never_marked_is_published_again(harness: PublisherHarness) -> None:
    """As when the process dies between the answer and the mark."""
    names = await harness.revoke()
    rows = await repository.pending_up_to(harness.publisher.database, 2**31, 9)
    await harness.publisher._publish_rows(rows)
    assert await harness.names() == names
    await harness.another().reconcile()
    assert await harness.names() == names * 2
