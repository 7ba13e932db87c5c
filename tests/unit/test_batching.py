"""The batching helper: calls that items share, and what one caller's end means for the others."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.batching import Batcher
from shared.errors import ServiceUnavailable


class Work:
    """Doubles numbers when the test lets it, and records the batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.batcher = Batcher[int, int](self.double, max_calls=2, max_size=3)

    async def double(self, items: Sequence[int]) -> Sequence[int | Exception]:
        self.batches.append(list(items))
        await self.gate.wait()
        if 0 in items:
            raise LookupError
        return [ValueError() if item < 0 else 2 * item for item in items]

    async def submit(self, *items: int) -> list[asyncio.Task[int]]:
        tasks = [asyncio.create_task(self.batcher.submit(item)) for item in items]
        for _ in range(3):
            await asyncio.sleep(0)
        return tasks


async def test_submit_concurrent_items_share_calls_of_bounded_size() -> None:
    work = Work()
    work.gate.set()
    assert await asyncio.gather(*await work.submit(1, 2, 3, 4)) == [2, 4, 6, 8]
    assert work.batches == [[1, 2, 3], [4]]


async def test_submit_while_all_calls_run_gathers_the_next_batch() -> None:
    work = Work()
    tasks = [task for item in (1, 2, 3, 4) for task in await work.submit(item)]
    assert work.batches == [[1], [2]]
    assert len(work.batcher.calls) == 2
    work.gate.set()
    assert await asyncio.gather(*tasks) == [2, 4, 6, 8]
    assert work.batches == [[1], [2], [3, 4]]


async def test_submit_failed_item_fails_alone() -> None:
    work = Work()
    work.gate.set()
    first, failed, last = await asyncio.gather(*await work.submit(1, -1, 2), return_exceptions=True)
    assert (first, last) == (2, 4)
    assert isinstance(failed, ValueError)


async def test_submit_failed_call_reaches_its_callers_and_no_others() -> None:
    work = Work()
    work.gate.set()
    answers = await asyncio.gather(*await work.submit(1, 0, 2, 3), return_exceptions=True)
    assert [type(answer) for answer in answers] == [LookupError, LookupError, LookupError, int]


@pytest.mark.parametrize("running", [True, False])
async def test_submit_cancelled_caller_leaves_the_others_alone(*, running: bool) -> None:
    work = Work()
    if not running:
        await work.submit(7)
        await work.submit(8)
    impatient, patient = await work.submit(1, 2)
    impatient.cancel()
    work.gate.set()
    assert await patient == 4
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert work.batches[-1] == [1, 2]  # what was submitted is done


async def test_fail_held_back_spares_running_calls_and_free_places() -> None:
    work = Work()
    first = await work.submit(1)
    work.batcher.fail_held_back(ServiceUnavailable())  # a place is free: nothing is held back
    second, held_back = await work.submit(2), await work.submit(3)
    work.batcher.fail_held_back(ServiceUnavailable())
    work.gate.set()
    assert await asyncio.gather(*first, *second) == [2, 4]
    with pytest.raises(ServiceUnavailable):
        await held_back[0]
    assert work.batches == [[1], [2]]


async def test_close_fails_running_and_waiting_items() -> None:
    work = Work()
    tasks = [task for item in (1, 2, 3) for task in await work.submit(item)]
    await work.batcher.close()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(answer) for answer in answers} == {ServiceUnavailable}
    assert not work.batcher.calls
    assert work.batches == [[1], [2]]
