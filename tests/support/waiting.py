"""Waiting for what happens elsewhere, with a bound."""

import asyncio
from collections.abc import Callable
from inspect import isawaitable


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Return when the condition holds, awaited if it has to be; fail after `seconds` without."""
    async with asyncio.timeout(seconds):
        while not await _outcome(condition()):
            await asyncio.sleep(0.01)


async def _outcome(found: object) -> object:
    return await found if isawaitable(found) else found
