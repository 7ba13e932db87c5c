"""After an outage mirrors are asked to wait, until what was revoked meanwhile has been told."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from auth_service.revocation import repository, service
from auth_service.revocation.backlog import Backlog
from auth_service.revocation.errors import RevocationPending
from auth_service.revocation.service import Publisher
from shared.errors import ServiceUnavailable
from shared.revocation.catch_up import CATCH_UP
from shared.revocation.message import HEAD
from tests.auth.rounds import Bench
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
async def first_round(bench: Bench) -> None:
    """There is an epoch."""
    await bench.publisher.maintain()


async def sign(bench: Bench) -> str:
    told: Any = await bench.redis.hget(HEAD, CATCH_UP)
    return (told or b"").decode().partition(":")[0]


async def said(bench: Bench, state: str) -> None:
    """Return once this is said anew."""
    before = await bench.redis.hget(HEAD, CATCH_UP)

    async def anew() -> bool:
        return await bench.redis.hget(HEAD, CATCH_UP) != before and await sign(bench) == state

    await until(anew)


def answers(monkeypatch: Patch, *seen: bool) -> None:
    """What the publisher finds when it asks for Redis; in the end it is there."""
    left: Iterator[bool] = iter(seen)

    async def answer(_self: Publisher) -> bool:
        return next(left, True)

    monkeypatch.setattr(Publisher, "_answers", answer)


def failing(monkeypatch: Patch, owner: Any, name: str, times: int = 1) -> None:
    """It fails a number of times, then it does what it did."""
    whole: Callable[..., Any] = getattr(owner, name)
    left = iter(range(times))

    async def fail(*arguments: Any, **options: Any) -> Any:
        if next(left, None) is not None:
            raise ServiceUnavailable
        return await whole(*arguments, **options)

    monkeypatch.setattr(owner, name, fail)


async def test_mirrors_are_asked_to_wait_until_all_is_told(
    bench: Bench, monkeypatch: Patch
) -> None:
    publish = Backlog.publish
    seen: list[str] = []

    async def watched(self: Backlog, epoch: str, rows: Any) -> Any:
        await said(bench, "behind")
        seen.append(await sign(bench))
        return await publish(self, epoch, rows)

    monkeypatch.setattr(Backlog, "publish", watched)
    monkeypatch.setattr(service, "PAGE", 2)
    names = await bench.revoke(5)  # young as they are
    answers(monkeypatch, False, False)
    await bench.publisher.maintain()
    assert await bench.names() == names
    assert seen == ["behind"] * 3
    assert await sign(bench) == "done"


async def test_a_slow_answer_and_a_quiet_round_ask_for_nothing(
    bench: Bench, monkeypatch: Patch
) -> None:
    answers(monkeypatch, False, True)
    for _ in range(2):
        await bench.publisher.maintain()
    assert await sign(bench) == ""


async def test_a_round_that_redis_interrupts_begins_again_as_soon_as_it_is_back(
    bench: Bench, monkeypatch: Patch
) -> None:
    failing(monkeypatch, Backlog, "look")
    answers(monkeypatch, True, False, False, False)
    names = await bench.revoke(3)
    await bench.publisher.maintain()
    assert await bench.names() == names
    assert await sign(bench) == "done"


async def test_what_the_database_delays_mirrors_wait_for(bench: Bench, monkeypatch: Patch) -> None:
    """Something new is said all the while, so that we do not look dead."""
    failing(monkeypatch, repository, "pending_up_to", times=2)
    names = await bench.revoke(3)
    answers(monkeypatch, False, False)
    for _ in range(2):
        with pytest.raises(ServiceUnavailable):
            await bench.publisher.maintain()
        await said(bench, "behind")
        await said(bench, "behind")
    await bench.publisher.maintain()
    assert await bench.names() == names
    assert await sign(bench) == "done"


async def test_a_round_that_began_before_does_not_make_up_for_what_came_since(
    bench: Bench, monkeypatch: Patch
) -> None:
    """It has asked already how far there is something to tell."""
    user = await bench.delete_user()
    read, held, go_on = repository.pending_up_to, asyncio.Event(), asyncio.Event()

    async def slowly(*arguments: Any) -> Any:
        held.set()
        await go_on.wait()
        return await read(*arguments)

    monkeypatch.setattr(repository, "pending_up_to", slowly)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bench.publisher.maintain())
        await held.wait()
        with monkeypatch.context() as away:
            failing(away, Backlog, "publish")
            with pytest.raises(RevocationPending):
                await bench.publisher.publish_for(user)
        await said(bench, "behind")
        go_on.set()
    await said(bench, "behind")
    await bench.publisher.maintain()
    assert await sign(bench) == "done"


async def test_what_is_missed_while_we_say_that_all_is_told_is_not_forgotten(
    bench: Bench, monkeypatch: Patch
) -> None:
    say = Backlog.say

    async def missing(self: Backlog, state: str) -> None:
        await say(self, state)
        if state == "done":
            bench.publisher._miss()

    bench.publisher._miss()
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Backlog, "say", missing)
        await bench.publisher.maintain()
        assert await sign(bench) == "done"
    await said(bench, "behind")
    await bench.publisher.maintain()
    assert await sign(bench) == "done"


async def test_who_ends_tells_what_was_missed(bench: Bench, monkeypatch: Patch) -> None:
    """Mirrors would wait for nobody, for as long as somebody may be alive who says nothing."""
    user = await bench.delete_user()
    failing(monkeypatch, Backlog, "publish")
    with pytest.raises(RevocationPending):
        await bench.publisher.publish_for(user)
    await said(bench, "behind")
    await bench.publisher.end()
    assert await bench.names() == [str(user)]
    assert await sign(bench) == "done"


async def test_who_cannot_tell_ends_all_the_same(bench: Bench, monkeypatch: Patch) -> None:
    await bench.revoke()
    bench.publisher._miss()
    failing(monkeypatch, Backlog, "publish", times=9)
    await bench.publisher.end()
    assert await bench.names() == []
    assert {task.get_name() for task in asyncio.all_tasks()} & {"catch_up"} == set()


async def test_what_its_handler_could_not_tell_the_next_round_tells(
    bench: Bench, monkeypatch: Patch
) -> None:
    await bench.publisher.maintain()
    user = await bench.delete_user()
    failing(monkeypatch, Backlog, "publish")
    with pytest.raises(RevocationPending):
        await bench.publisher.publish_for(user)
    await bench.publisher.maintain()
    assert await bench.names() == [str(user)]


async def test_what_was_left_before_the_start_the_first_round_tells(
    bench: Bench, monkeypatch: Patch
) -> None:
    names = await bench.revoke(3)
    failing(monkeypatch, repository, "state")
    replica = bench.another()
    with pytest.raises(ServiceUnavailable):
        await replica.maintain()
    await replica.maintain()
    assert await bench.names() == names


async def test_what_was_told_and_never_noted_is_told_again(bench: Bench) -> None:
    """As when the process dies between the answer and the note."""
    names = await bench.revoke()
    rows = await repository.pending_up_to(bench.publisher._database, 2**31, 9)
    await bench.publisher._tell(rows)
    assert await bench.names() == names
    await bench.another().maintain()
    assert await bench.names() == names * 2
