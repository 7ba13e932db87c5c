"""Limits the time that a decoder takes for one picture, by the service's own clocks.

The kernel's RLIMIT_CPU counts ticks over the process' whole life. The sums drift from precise time.
So an old decoder would exceed a limit that its next picture has not begun to use.
"""

import asyncio
import ctypes
import math
import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar

TICK_SECONDS = 0.25
T = TypeVar("T")


async def limit_job_time(response: asyncio.Task[T], pid: int, *, wall: float, cpu: float) -> T:
    """Return the task's result, unless `wall` seconds pass or the process computes for `cpu`.

    Time is counted as ticks that this process saw: a pause of the whole machine is one tick.

    Raises:
        TimeoutError: the time is used up; the task is cancelled.
    """
    before = cpu_seconds(pid)
    tick = min(TICK_SECONDS, wall)
    try:
        for _ in range(math.ceil(wall / tick)):
            await asyncio.wait({response}, timeout=tick)
            if response.done():
                return response.result()
            if cpu_seconds(pid) - before >= cpu:
                break
        raise TimeoutError
    finally:
        response.cancel()


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used, 0 where that cannot be known."""
    clock, find = ctypes.c_int(), _load_clock_getcpuclockid()
    if find is None or find(pid, ctypes.byref(clock)):
        return 0.0
    try:
        return time.clock_gettime(clock.value)
    except OSError:
        return 0.0


@cache  # loading the library costs as much as the rest
def _load_clock_getcpuclockid() -> Callable[..., int] | None:
    found: Callable[..., int] | None = getattr(ctypes.CDLL(None), "clock_getcpuclockid", None)
    return found
