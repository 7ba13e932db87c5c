"""Functions that a test makes fail, or holds up, for as long as it wants."""

import asyncio
from typing import Any

import pytest

from shared.errors import ServiceUnavailable


def holding(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> tuple[asyncio.Event, asyncio.Event]:
    """It is held up; return what is set when it is, and what lets it go on."""
    whole = getattr(owner, name)
    held, go_on = asyncio.Event(), asyncio.Event()

    async def hold(*arguments: Any, **options: Any) -> Any:
        held.set()
        await go_on.wait()
        return await whole(*arguments, **options)

    monkeypatch.setattr(owner, name, hold)
    return held, go_on


def failing(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, times: int = 1) -> None:
    """It fails a number of times, then it does what it did."""
    whole = getattr(owner, name)
    left = iter(range(times))

    async def fail(*arguments: Any, **options: Any) -> Any:
        if next(left, None) is not None:
            raise ServiceUnavailable
        return await whole(*arguments, **options)

    monkeypatch.setattr(owner, name, fail)
