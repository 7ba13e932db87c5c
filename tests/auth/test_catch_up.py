"""After an outage publishers run rounds until everything revoked meanwhile is published."""

import asyncio
import contextlib
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
from tests.auth.publisher_harness import Bench
from tests.support.fault_injection import block_calls, fail_calls

if TYPE_CHECKING:
    from collections.abc import Iterator

Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
async def first_round(bench: Bench) -> None:
    """There is an epoch, and everything is published."""
    await bench.publisher.reconcile()
    bench.clock.advance(seconds=CATCH_UP_SECONDS)


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
    bench: Bench, monkeypatch: Patch
) -> None:
    publish = RevocationStream.publish
    seen = []

    async def watched(self: RevocationStream, epoch: str, rows: Any) -> Any:
        seen.append(await bench.rounds())
        return await publish(self, epoch, rows)

    monkeypatch.setattr(RevocationStream, "publish", watched)
    monkeypatch.setattr(service, "PAGE_SIZE", 2)
    names = await bench.revoke(5)  # young as they are
    answer_pings(monkeypatch, False, False)
    await bench.publisher.reconcile()
    assert await bench.names() == names
    assert len(seen) == 3
    assert all(one.complete < one.started for one in seen)
    assert await bench.is_complete()


async def test_rounds_after_an_outage_follow_quickly_for_a_while(
    bench: Bench, monkeypatch: Patch
) -> None:
    assert bench.publisher.pause() == ROUND_PAUSE_SECONDS
    answer_pings(monkeypatch, False, False)
    await bench.publisher.reconcile()
    assert bench.publisher.pause() == CATCH_UP_PAUSE_SECONDS
    bench.clock.advance(seconds=CATCH_UP_SECONDS)
    assert bench.publisher.pause() == ROUND_PAUSE_SECONDS


async def test_one_slow_ping_is_no_outage(bench: Bench, monkeypatch: Patch) -> None:
    answer_pings(monkeypatch, False, True)
    await bench.publisher.reconcile()
    assert bench.publisher.pause() == ROUND_PAUSE_SECONDS


async def test_publish_that_fails_is_an_outage(bench: Bench, monkeypatch: Patch) -> None:
    """A slow database may keep the rounds from noticing it."""
    user = await bench.delete_user()
    fail_calls(monkeypatch, RevocationStream, "publish")
    with pytest.raises(RevocationPending):
        await bench.publisher.publish_pending_of_user(user)
    assert bench.publisher.pause() == CATCH_UP_PAUSE_SECONDS


async def test_first_round_of_a_publisher_publishes_what_another_left(bench: Bench) -> None:
    names = await bench.revoke(3)
    replica = bench.another()
    await replica.reconcile()
    assert await bench.names() == names
    assert await bench.is_complete()


async def test_round_with_nothing_to_publish_is_complete_at_once(bench: Bench) -> None:
    for _ in range(2):
        before = await bench.rounds()
        await bench.publisher.reconcile()
        now = await bench.rounds()
        assert now.complete == now.started == before.started + 1


async def test_round_that_leaves_young_rows_to_their_handlers_completes_the_one_before(
    bench: Bench,
) -> None:
    for _ in range(3):
        before = await bench.rounds()
        await bench.revoke()
        await bench.publisher.reconcile()
        now = await bench.rounds()
        assert (now.started, now.complete) == (before.started + 1, before.started)


async def test_round_that_redis_interrupts_begins_again_once_it_is_back(
    bench: Bench, monkeypatch: Patch
) -> None:
    fail_calls(monkeypatch, RevocationStream, "read_state")
    answer_pings(monkeypatch, True, False, False, False)
    names = await bench.revoke(3)
    await bench.publisher.reconcile()
    assert await bench.names() == names
    assert await bench.is_complete()


@pytest.mark.usefixtures("frequent_signs")
async def test_publisher_held_up_by_the_database_gives_signs_and_completes_nothing(
    bench: Bench, monkeypatch: Patch
) -> None:
    names = await bench.revoke()
    held, go_on = block_calls(monkeypatch, repository, "pending_up_to")
    replica = bench.another()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(replica.reconcile())
        await held.wait()
        before = await bench.rounds()
        for _ in range(2):
            now = await bench.shown_alive()
            assert now.complete == before.complete < before.started
        go_on.set()
    assert await bench.names() == names
    assert (await bench.rounds()).complete == before.started


@pytest.mark.usefixtures("frequent_signs")
async def test_publisher_that_counts_unread_rows_without_redis_gives_signs_once_it_is_back(
    bench: Bench, monkeypatch: Patch
) -> None:
    held, go_on = block_calls(monkeypatch, repository, "pending_summary")
    answer_pings(monkeypatch, False, False)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bench.publisher.reconcile())
        await held.wait()
        await bench.shown_alive()
        go_on.set()


async def test_round_that_the_database_ends_is_not_complete(
    bench: Bench, monkeypatch: Patch
) -> None:
    before = await bench.rounds()
    fail_calls(monkeypatch, repository, "pending_up_to", times=2)
    names = await bench.revoke(3)
    for _ in range(2):
        with pytest.raises(ServiceUnavailable):
            await bench.publisher.reconcile()
        now = await bench.rounds()
        assert now.complete == before.complete < now.started
    await bench.publisher.reconcile()
    assert await bench.names() == names


async def test_row_committed_while_a_round_runs_is_left_to_the_next_round(
    bench: Bench, monkeypatch: Patch
) -> None:
    held, go_on = block_calls(monkeypatch, repository, "pending_up_to")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bench.publisher.reconcile())
        await held.wait()
        user = await bench.delete_user()
        with monkeypatch.context() as away:
            fail_calls(away, RevocationStream, "publish")
            with pytest.raises(RevocationPending):
                await bench.publisher.publish_pending_of_user(user)
        go_on.set()
    assert await bench.names() == []
    await bench.publisher.reconcile()
    assert await bench.names() == [str(user)]
    assert await bench.is_complete()


async def test_row_that_the_database_is_too_slow_to_read_is_published_by_the_next_round(
    bench: Bench, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(service, "PUBLISH_TIMEOUT_SECONDS", 0.1)
    block_calls(monkeypatch, repository, "pending_of_user")
    user = await bench.delete_user()
    with pytest.raises(RevocationPending):
        await bench.publisher.publish_pending_of_user(user)
    await bench.publisher.reconcile()
    assert await bench.names() == [str(user)]


async def test_round_of_another_publisher_publishes_what_a_handler_could_not(
    bench: Bench, monkeypatch: Patch
) -> None:
    user = await bench.delete_user()
    with monkeypatch.context() as away:
        fail_calls(away, RevocationStream, "publish")
        with pytest.raises(RevocationPending):
            await bench.another().publish_pending_of_user(user)
    for _ in range(2):  # its first round may leave the row to its handler
        await bench.publisher.reconcile()
    assert await bench.names() == [str(user)]


async def test_row_marked_during_a_round_is_compared_by_it(
    bench: Bench, monkeypatch: Patch
) -> None:
    """A failover lost it after it was published and before it was marked."""
    names = await bench.revoke()
    [row] = await repository.pending_up_to(bench.publisher._database, 2**31, 9)
    read = repository.pending_summary

    async def mark_first(database: Any) -> Any:
        await repository.mark_published(database, {row.id: "1-1"}, bench.clock.now())
        return await read(database)

    monkeypatch.setattr(repository, "pending_summary", mark_first)
    await bench.publisher.reconcile()
    assert await bench.names() == names
    assert await bench.is_complete()


async def test_complete_round_of_a_lost_counter_is_ignored(bench: Bench) -> None:
    await bench.publisher._rounds.complete(10**6)
    assert await bench.is_complete()
    for _ in range(3):
        await bench.publisher.reconcile()
    before = await bench.rounds()
    await bench.publisher._rounds.complete(1)
    assert await bench.rounds() == before  # an old round that ends late


async def test_counter_that_redis_has_lost_begins_anew(bench: Bench) -> None:
    for _ in range(3):
        await bench.publisher.reconcile()
    names = await bench.revoke()
    await bench.redis.hdel("revocations:head", "begun", "told")
    await bench.publisher.reconcile()  # the round before had a higher number
    assert await bench.names() == names
    assert await bench.rounds() == (1, 1)


async def test_close_publishes_what_a_handler_could_not(bench: Bench, monkeypatch: Patch) -> None:
    """Subscribers do not wait for a publisher that has ended."""
    user = await bench.delete_user()
    fail_calls(monkeypatch, RevocationStream, "publish")
    with pytest.raises(RevocationPending):
        await bench.publisher.publish_pending_of_user(user)
    await bench.publisher.close()
    assert await bench.names() == [str(user)]
    assert await bench.is_complete()


@pytest.mark.parametrize("error", [ServiceUnavailable, LookupError, None])
async def test_close_without_a_database_ends_all_the_same(
    bench: Bench, monkeypatch: Patch, error: type[Exception] | None
) -> None:
    monkeypatch.setattr(service, "CLOSE_TIMEOUT_SECONDS", 0.1)
    await bench.revoke()

    async def fail(*_: Any) -> Any:
        if error is None:
            await asyncio.sleep(60)
        raise error or AssertionError

    with monkeypatch.context() as broken:
        broken.setattr(repository, "pending_summary", fail)
        async with asyncio.timeout(2):
            with pytest.raises(LookupError) if error is LookupError else contextlib.nullcontext():
                await bench.publisher.close()
        assert await bench.names() == []


async def test_row_published_and_never_marked_is_published_again(bench: Bench) -> None:
    """As when the process dies between the answer and the mark."""
    names = await bench.revoke()
    rows = await repository.pending_up_to(bench.publisher._database, 2**31, 9)
    await bench.publisher._publish_rows(rows)
    assert await bench.names() == names
    await bench.another().reconcile()
    assert await bench.names() == names * 2
