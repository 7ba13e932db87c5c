"""How long a block takes says nothing of what it did."""

import asyncio
import time

import pytest

from auth_service.minimum_duration import minimum_duration

SECONDS = 0.03


async def test_minimum_duration_of_any_block_is_held() -> None:
    for work in (0, SECONDS / 3):
        began = time.perf_counter()
        async with minimum_duration(SECONDS):
            await asyncio.sleep(work)
        assert time.perf_counter() - began >= SECONDS * 0.9


async def test_minimum_duration_of_failing_block_is_held() -> None:
    began = time.perf_counter()
    with pytest.raises(LookupError):
        async with minimum_duration(SECONDS):
            raise LookupError
    assert time.perf_counter() - began >= SECONDS * 0.9


async def test_minimum_duration_timer_starts_before_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else the rest of the time, rounded to milliseconds by the loop, would tell of the work."""
    timers: list[tuple[float, float]] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        timers.append((time.perf_counter(), seconds))
        await sleep(seconds)

    monkeypatch.setattr(asyncio, "sleep", noted)
    async with minimum_duration(SECONDS):
        await sleep(SECONDS / 3)
        done = time.perf_counter()
    [(started, seconds)] = timers
    assert started < done
    assert seconds == SECONDS
