"""Waiting for what happens elsewhere, with a bound."""

import asyncio
from collections.abc import Callable
from inspect import getsource, isawaitable


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Return when the condition holds, awaited if it has to be.

    Raises:
        AssertionError: it does not hold within `seconds`; the message shows the condition.
    """
    try:
        async with asyncio.timeout(seconds):
            while not await _outcome(condition()):
                await asyncio.sleep(0.01)
    except TimeoutError as error:
        raise AssertionError(describe_unmet(condition, seconds)) from error


def describe_unmet(condition: Callable[[], object], seconds: float) -> str:
    """Return a message that shows the source of a condition that was waited for in vain."""
    try:
        shown = getsource(condition).strip()
    except (OSError, TypeError):
        shown = repr(condition)
    return f"not within {seconds:g} s: {shown}"


async def _outcome(found: object) -> object:
    return await found if isawaitable(found) else found
