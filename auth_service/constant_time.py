"""Answers whose time says nothing of what was found."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

# Well above what storing a code takes and well below what anybody notices who waits for one.
FLOOR_SECONDS = 0.05


@asynccontextmanager
async def constant_time(seconds: float = FLOOR_SECONDS) -> AsyncIterator[None]:
    """Hold the end of the block, also a failed one, until so much time has passed.

    A block that takes longer is not held: then the machine's own moods are what is seen.
    """
    # The timer starts before the work: one for the rest of the time would be rounded to whole
    # milliseconds by the event loop, and the remainder would tell how long the work took.
    floor = asyncio.create_task(asyncio.sleep(seconds))
    try:
        yield
    finally:
        await floor
