"""A fair pool: keys take turns, nobody overtakes, and a cancelled waiter costs nothing."""

import asyncio
from functools import partial

import pytest

from shared.errors import ServiceUnavailable
from shared.fair_pool import FairPool

SOON = 0.02


def queue_of(items: int, **bounds: float) -> FairPool[str, int]:
    return FairPool(range(items), refusal=partial(ServiceUnavailable, 7, "full"), **bounds)


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def waiters(
    queue: FairPool[str, int], keys: str, served: list[str]
) -> list[asyncio.Task[None]]:
    """One waiter for each letter, in that order; each notes its turn and passes it on."""

    async def wait(name: str) -> None:
        async with queue.turn(name[0]):
            served.append(name)

    tasks = [asyncio.create_task(wait(f"{key}{place}")) for place, key in enumerate(keys)]
    await settle()
    return tasks


async def test_fair_pool_several_keys_take_turns() -> None:
    queue, served = queue_of(1), list[str]()
    item = await queue.acquire("x")
    tasks = await waiters(queue, "aaaabbc", served)
    assert queue.waiting == 7
    queue.release(item)
    await asyncio.gather(*tasks)
    assert served == ["a0", "b4", "c6", "a1", "b5", "a2", "a3"]
    assert queue.waiting == 0


async def test_fair_pool_newcomer_never_overtakes() -> None:
    """A released item is the next waiter's at once, also before that waiter's task runs."""
    queue, served = queue_of(1), list[str]()
    item = await queue.acquire("a")
    tasks = await waiters(queue, "a", served)
    queue.release(item)
    tasks += await waiters(queue, "aa", served)
    await asyncio.gather(*tasks)
    assert served == ["a0", "a0", "a1"]
    assert queue.has_free_item


async def test_fair_pool_full_refuses_newest_of_longest_line() -> None:
    queue, served = queue_of(1, capacity=5), list[str]()
    item = await queue.acquire("x")
    tasks = await waiters(queue, "aaabb", served)
    newcomer = await waiters(queue, "c", served)
    await asyncio.sleep(0)
    assert [task.done() for task in tasks] == [False, False, True, False, False]
    with pytest.raises(ServiceUnavailable) as refused:
        await tasks[2]
    assert (refused.value.retry_after, refused.value.detail) == (7, "full")
    assert queue.waiting == 5
    queue.release(item)
    await asyncio.gather(*tasks, *newcomer, return_exceptions=True)
    assert served == ["a0", "b3", "c0", "a1", "b4"]


async def test_fair_pool_full_refuses_newcomer_of_longest_line() -> None:
    queue = queue_of(1, capacity=4)
    item = await queue.acquire("x")
    tasks = await waiters(queue, "aabb", [])
    for key in "ab":
        with pytest.raises(ServiceUnavailable):
            queue.require_capacity(key)
        with pytest.raises(ServiceUnavailable):
            await queue.acquire(key)
    queue.require_capacity("c")
    assert not any(task.done() for task in tasks)
    queue.release(item)
    await asyncio.gather(*tasks)


async def test_fair_pool_key_at_its_own_limit_is_refused() -> None:
    queue = queue_of(1, capacity_per_key=1)
    item = await queue.acquire("x")
    tasks = await waiters(queue, "ab", [])
    with pytest.raises(ServiceUnavailable):
        await queue.acquire("a")
    queue.release(item)
    await asyncio.gather(*tasks)


async def test_fair_pool_without_places_serves_only_free_items() -> None:
    queue = queue_of(1, capacity=0)
    item = await queue.acquire("a")
    with pytest.raises(ServiceUnavailable):
        await queue.acquire("b")
    queue.release(item)
    async with queue.turn("b"):
        pass


async def test_fair_pool_waiter_out_of_time_leaves() -> None:
    queue = queue_of(1)
    item = await queue.acquire("a")
    with pytest.raises(ServiceUnavailable):
        await queue.acquire("a", SOON)
    assert queue.waiting == 0
    queue.release(item)
    assert queue.has_free_item


async def test_fair_pool_cancelled_waiter_leaves() -> None:
    queue, served = queue_of(1), list[str]()
    item = await queue.acquire("x")
    tasks = await waiters(queue, "aab", served)
    tasks[0].cancel()
    await settle()
    assert queue.waiting == 2
    queue.release(item)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert served == ["a1", "b2"]


@pytest.mark.parametrize("cancelled_first", [True, False])
async def test_fair_pool_cancelled_at_its_turn_hands_the_item_on(*, cancelled_first: bool) -> None:
    """The cancellation and the turn come in one step of the loop, in either order."""
    queue, served = queue_of(1), list[str]()
    item = await queue.acquire("x")
    tasks = await waiters(queue, "aab", served)
    if cancelled_first:
        tasks[0].cancel()
    queue.release(item)
    if not cancelled_first:
        tasks[0].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes[0], asyncio.CancelledError)
    # A cancelled waiter costs its key no turn, unless the turn was already its own.
    assert served == (["a1", "b2"] if cancelled_first else ["b2", "a1"])
    assert (queue.waiting, queue.has_free_item) == (0, True)


async def test_fair_pool_all_waiters_cancelled_at_once_keeps_the_item() -> None:
    queue, served = queue_of(2), list[str]()
    items = [await queue.acquire("x") for _ in range(2)]
    tasks = await waiters(queue, "aabbc", served)
    for task in tasks:
        task.cancel()
    for item in items:
        queue.release(item)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert served == []
    assert (queue.waiting, len(queue._free)) == (0, 2)


async def test_fair_pool_waiter_refused_and_cancelled_at_once_ends_quietly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    queue = queue_of(1, capacity=2)
    item = await queue.acquire("x")
    tasks = await waiters(queue, "aa", [])
    newcomer = asyncio.create_task(queue.acquire("b"))
    await asyncio.sleep(0)  # it takes the place, and the refused waiter has yet to learn so
    tasks[1].cancel()
    outcomes = await asyncio.gather(tasks[1], return_exceptions=True)
    assert isinstance(outcomes[0], asyncio.CancelledError | ServiceUnavailable)
    queue.release(item)
    await tasks[0]
    queue.release(await newcomer)
    assert (queue.waiting, queue.has_free_item) == (0, True)
    assert caplog.text == ""


async def test_fair_pool_failed_block_frees_the_item() -> None:
    queue = queue_of(1)
    with pytest.raises(LookupError):
        async with queue.turn("a"):
            raise LookupError
    assert queue.has_free_item
