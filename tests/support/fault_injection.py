"""Makes functions fail, or blocks them for as long as a test wants."""

import asyncio
from typing import Any

import pytest

from shared.errors import ServiceUnavailable


def block_calls(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> tuple[asyncio.Event, asyncio.Event]:
    """Block every call; return the event of the first call and the event that unblocks them."""
    whole = getattr(owner, name)
    held, go_on = asyncio.Event(), asyncio.Event()

    async def hold(*arguments: Any, **options: Any) -> Any:
        held.set()
        await go_on.wait()
        return await whole(*arguments, **options)

    monkeypatch.setattr(owner, name, hold)
    return held, go_on


def fail_calls(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, times: int = 1) -> None:
    """Make the first calls fail; later calls work."""
    whole = getattr(owner, name)
    left = iter(range(times))

    async def fail(*arguments: Any, **options: Any) -> Any:
        if next(left, None) is not None:
            raise ServiceUnavailable
        return await whole(*arguments, **options)

    monkeypatch.setattr(owner, name, fail)
