"""Answers whose time says nothing of what was found."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

# Well above what storing a code takes and well below what anybody notices who waits for one.
DEFAULT_SECONDS = 0.05


class MinimumDuration:
    """The least time that a block takes."""

    def __init__(self, seconds: float) -> None:
        """Start to count."""
        self._seconds = seconds
        # The timer starts before the work. The event loop would round one for the rest to whole
        # milliseconds, and the remainder would tell how long the work took.
        self._timer = asyncio.create_task(asyncio.sleep(seconds))

    def restart(self) -> None:
        """Count from now: the block has waited for something that tells nothing.

        Else a long wait would use up the floor, and the rest of the block would show.
        """
        self._timer.cancel()
        self._timer = asyncio.create_task(asyncio.sleep(self._seconds))

    async def wait(self) -> None:
        """Return when the time has passed."""
        await self._timer


@asynccontextmanager
async def minimum_duration(seconds: float = DEFAULT_SECONDS) -> AsyncIterator[MinimumDuration]:
    """Hold the end of the block, also a failed one, until so much time has passed.

    A block that takes longer is not held: then the machine's own moods are what is seen.
    """
    floor = MinimumDuration(seconds)
    try:
        yield floor
    finally:
        await floor.wait()
