"""Waiting for what happens elsewhere, with a bound."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 5) -> None:
    """Return when the condition holds; fail when it does not within `seconds`."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.01)
