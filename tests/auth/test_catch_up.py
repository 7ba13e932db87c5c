"""After an outage mirrors are asked to wait, until what was revoked meanwhile has been told."""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from auth_service.revocation import repository, service
from auth_service.revocation.errors import RevocationPending
from auth_service.revocation.service import Publisher
from auth_service.revocation.stream import RevocationStream
from shared.errors import ServiceUnavailable
from tests.auth.publisher_harness import Bench
from tests.support.fault_injection import block_calls, fail_calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.revocation.catch_up import Rounds

Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
async def first_round(bench: Bench) -> None:
    """There is an epoch, and all is told."""
    await bench.publisher.reconcile()


def answers(monkeypatch: Patch, *seen: bool) -> None:
    """What the publisher finds when it asks for Redis; in the end it is there."""
    left: Iterator[bool] = iter(seen)

    async def answer(_self: Publisher) -> bool:
        return next(left, True)

    monkeypatch.setattr(Publisher, "_redis_answers", answer)


async def test_mirrors_are_asked_to_wait_until_all_is_told(
    bench: Bench, monkeypatch: Patch
) -> None:
    publish = RevocationStream.publish
    seen: list[Rounds] = []

    async def watched(self: RevocationStream, epoch: str, rows: Any) -> Any:
        seen.append(await bench.said_again())
        return await publish(self, epoch, rows)

    monkeypatch.setattr(RevocationStream, "publish", watched)
    monkeypatch.setattr(service, "PAGE_SIZE", 2)
    names = await bench.revoke(5)  # young as they are
    answers(monkeypatch, False, False)
    await bench.publisher.reconcile()
    assert await bench.names() == names
    assert len(seen) == 3
    assert all(one.told <= one.behind < one.begun for one in seen)
    assert await bench.all_told()
    assert await bench.says_no_more()


async def test_a_publisher_that_starts_is_behind_until_it_has_told_what_others_left(
    bench: Bench, monkeypatch: Patch
) -> None:
    names = await bench.revoke()
    held, go_on = block_calls(monkeypatch, repository, "pending_up_to")
    replica = bench.another()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(replica.reconcile())
        await held.wait()
        now = await bench.said_again()
        assert now.behind >= now.told
        go_on.set()
    assert await bench.names() == names
    assert await bench.all_told()
    await replica.close()


async def test_a_slow_answer_asks_for_nothing(bench: Bench, monkeypatch: Patch) -> None:
    before = await bench.rounds()
    answers(monkeypatch, False, True)
    await bench.publisher.reconcile()
    assert (await bench.rounds()).said == before.said


async def test_a_quiet_round_answers_for_what_was_there_a_round_before(bench: Bench) -> None:
    """What is younger is in its handler's hands, and perhaps untold."""
    for _ in range(3):
        before = await bench.rounds()
        await bench.revoke()
        await bench.publisher.reconcile()
        now = await bench.rounds()
        assert (now.begun, now.told) == (before.begun + 1, before.begun)


async def test_a_round_that_redis_interrupts_begins_again_as_soon_as_it_is_back(
    bench: Bench, monkeypatch: Patch
) -> None:
    fail_calls(monkeypatch, RevocationStream, "read_state")
    answers(monkeypatch, True, False, False, False)
    names = await bench.revoke(3)
    await bench.publisher.reconcile()
    assert await bench.names() == names
    assert await bench.all_told()


async def test_what_the_database_delays_mirrors_wait_for(bench: Bench, monkeypatch: Patch) -> None:
    """Something new is said all the while, so that we do not look dead."""
    fail_calls(monkeypatch, repository, "pending_up_to", times=2)
    names = await bench.revoke(3)
    answers(monkeypatch, False, False)
    for _ in range(2):
        with pytest.raises(ServiceUnavailable):
            await bench.publisher.reconcile()
        now = await bench.said_again()
        assert now.behind >= now.told
    await bench.publisher.reconcile()
    assert await bench.names() == names
    assert await bench.all_told()


async def test_a_round_that_began_before_does_not_make_up_for_what_came_since(
    bench: Bench, monkeypatch: Patch
) -> None:
    """It has asked already how far there is something to tell."""
    user = await bench.delete_user()
    held, go_on = block_calls(monkeypatch, repository, "pending_up_to")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bench.publisher.reconcile())
        await held.wait()
        with monkeypatch.context() as away:
            fail_calls(away, RevocationStream, "publish")
            with pytest.raises(RevocationPending):
                await bench.publisher.publish_pending_of_user(user)
        assert (await bench.said_again()).behind == (await bench.rounds()).begun
        go_on.set()
    now = await bench.said_again()
    assert now.behind == now.begun > now.told
    await bench.publisher.reconcile()
    assert await bench.all_told()
    assert await bench.says_no_more()


async def test_a_database_too_slow_to_ask_what_is_to_be_told_is_a_miss(
    bench: Bench, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(service, "PUBLISH_TIMEOUT_SECONDS", 0.1)
    block_calls(monkeypatch, repository, "pending_of_user")
    user = await bench.delete_user()
    with pytest.raises(RevocationPending):
        await bench.publisher.publish_pending_of_user(user)
    now = await bench.said_again()
    assert now.behind >= now.told
    await bench.publisher.reconcile()
    assert await bench.names() == [str(user)]


async def test_a_whole_round_of_another_publisher_is_as_good(
    bench: Bench, monkeypatch: Patch
) -> None:
    replica = bench.another()
    await replica.reconcile()
    user = await bench.delete_user()
    fail_calls(monkeypatch, RevocationStream, "publish")
    with pytest.raises(RevocationPending):
        await replica.publish_pending_of_user(user)
    behind = (await bench.said_again()).behind
    bench.publisher._lateness.miss()
    await bench.publisher.reconcile()
    now = await bench.said_again()
    assert now.told == now.begun > now.behind >= behind
    await replica.close()


async def test_a_redis_that_has_lost_the_count_is_told_by_the_new_one(bench: Bench) -> None:
    await bench.publisher._rounds.complete(10**6)
    assert (await bench.rounds()).told < 10**6  # of a count that is lost
    for _ in range(3):
        await bench.publisher.reconcile()
    before = await bench.rounds()
    await bench.publisher._rounds.complete(1)
    assert await bench.rounds() == before  # an old round that ends late
    bench.publisher._lateness.miss()
    await bench.said_again()
    await bench.redis.flushall()
    now = await bench.said_again()
    assert now.behind == now.told == now.begun == 0
    await bench.publisher.reconcile()
    assert await bench.all_told()


async def test_who_ends_tells_what_was_missed(bench: Bench, monkeypatch: Patch) -> None:
    """Mirrors would wait for nobody, for as long as somebody may be alive who says nothing."""
    user = await bench.delete_user()
    fail_calls(monkeypatch, RevocationStream, "publish")
    with pytest.raises(RevocationPending):
        await bench.publisher.publish_pending_of_user(user)
    await bench.publisher.close()
    assert await bench.names() == [str(user)]
    assert await bench.all_told()


@pytest.mark.parametrize("wrong", [ServiceUnavailable, LookupError, None])
async def test_who_cannot_tell_ends_all_the_same(
    bench: Bench, monkeypatch: Patch, wrong: type[Exception] | None
) -> None:
    monkeypatch.setattr(service, "CLOSE_TIMEOUT_SECONDS", 0.1)
    await bench.revoke()

    async def fail(*_: Any) -> Any:
        if wrong is None:
            await asyncio.sleep(60)
        raise wrong or AssertionError

    bench.publisher._lateness.miss()
    monkeypatch.setattr(repository, "pending_summary", fail)
    async with asyncio.timeout(2):
        with pytest.raises(LookupError) if wrong is LookupError else contextlib.nullcontext():
            await bench.publisher.close()
    assert await bench.names() == []
    bench.publisher._lateness.miss()
    assert await bench.says_no_more()


async def test_what_its_handler_could_not_tell_the_next_round_tells(
    bench: Bench, monkeypatch: Patch
) -> None:
    await bench.publisher.reconcile()
    user = await bench.delete_user()
    fail_calls(monkeypatch, RevocationStream, "publish")
    with pytest.raises(RevocationPending):
        await bench.publisher.publish_pending_of_user(user)
    await bench.publisher.reconcile()
    assert await bench.names() == [str(user)]


async def test_what_was_left_before_the_start_the_first_round_tells(
    bench: Bench, monkeypatch: Patch
) -> None:
    names = await bench.revoke(3)
    fail_calls(monkeypatch, repository, "pending_summary")
    replica = bench.another()
    with pytest.raises(ServiceUnavailable):
        await replica.reconcile()
    await replica.reconcile()
    assert await bench.names() == names


async def test_what_was_told_and_never_noted_is_told_again(bench: Bench) -> None:
    """As when the process dies between the answer and the note."""
    names = await bench.revoke()
    rows = await repository.pending_up_to(bench.publisher._database, 2**31, 9)
    await bench.publisher._publish_rows(rows)
    assert await bench.names() == names
    await bench.another().reconcile()
    assert await bench.names() == names * 2
