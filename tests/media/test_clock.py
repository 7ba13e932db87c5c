"""A clock that is behind: media_service refused every token as not yet valid, and said nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from shared import clock_check
from tests.support.clock import MovableClock
from tests.support.waiting import until


@pytest.fixture
def clock() -> MovableClock:
    """A clock that parts from PostgreSQL's when it is moved."""
    return MovableClock()


async def test_media_service_clock_behind_database_is_not_ready(
    serving_media: Callable[..., Any], clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_check, "COMPARE_SECONDS", 0.05)
    async with serving_media() as media:

        async def status(minutes: float) -> int:
            clock.advance(minutes=minutes)
            async with media.http.get("/readyz") as answer:
                return int(answer.status)

        assert await status(0) == 200
        await status(-5)

        async def is_said() -> bool:
            async with media.http.get("/readyz") as answer:
                body = await answer.json()
            reason = body.get("reasons", {}).get("clock", "")
            return answer.status == 503 and "300 s behind PostgreSQL's" in reason

        await until(is_said)
        assert await status(5) == 200
