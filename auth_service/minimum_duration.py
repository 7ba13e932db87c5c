"""A minimum duration for answers, so that their time does not reveal what was found."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

# Well above the time to store a code, and well below what a person notices.
DEFAULT_SECONDS = 0.05


class MinimumDuration:
    """The minimum time that a block takes."""

    def __init__(self, seconds: float) -> None:
        """Start the time."""
        self._seconds = seconds
        # The timer starts before the work: the event loop rounds timers to whole milliseconds, and
        # the remainder of a later one would reveal how long the work took.
        self._timer = asyncio.create_task(asyncio.sleep(seconds))

    def restart(self) -> None:
        """Start the time again, after a wait that reveals nothing.

        Else a long wait would use the minimum up, and the rest of the block would be measurable.
        """
        self._timer.cancel()
        self._timer = asyncio.create_task(asyncio.sleep(self._seconds))

    async def wait(self) -> None:
        """Return when the time has passed."""
        await self._timer


@asynccontextmanager
async def minimum_duration(seconds: float = DEFAULT_SECONDS) -> AsyncIterator[MinimumDuration]:
    """Delay the end of the block, also a failed one, until the time has passed.

    A block that takes longer is not delayed.
    """
    minimum = MinimumDuration(seconds)
    try:
        yield minimum
    finally:
        await minimum.wait()


def conceal_duration(*, conceal: bool) -> AbstractAsyncContextManager[object]:
    """Apply the minimum duration to a look-up when accounts are concealed."""
    return minimum_duration() if conceal else nullcontext()
