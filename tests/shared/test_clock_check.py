"""A clock that is wrong: the service says so and is not ready, until it is right again."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
import structlog

from shared import clock_check
from shared.clock_check import ClockCheck
from shared.db import Database, open_database
from shared.errors import ServiceUnavailable
from tests.support.auth_client import AuthClient
from tests.support.clock import MovableClock
from tests.support.waiting import until


@pytest.fixture
def clock() -> MovableClock:
    """A clock that parts from PostgreSQL's when it is moved."""
    return MovableClock()


@pytest.fixture
async def database(auth_dsn: str) -> AsyncIterator[Database]:
    async with open_database(auth_dsn) as opened:
        yield opened


@pytest.mark.parametrize("seconds", [-29, 0, 29])
async def test_clock_check_within_half_a_minute_agrees(
    database: Database, clock: MovableClock, seconds: float
) -> None:
    check = ClockCheck(database, clock)
    clock.advance(seconds=seconds)
    with structlog.testing.capture_logs() as logs:
        await check.compare()
    assert await check.clocks_agree()
    assert logs == []


@pytest.mark.parametrize(("minutes", "side"), [(-5, "300 s behind"), (5, "300 s ahead of")])
async def test_clock_check_wrong_clock_is_logged_once_with_reason(
    database: Database, clock: MovableClock, minutes: float, side: str
) -> None:
    check = ClockCheck(database, clock)
    with structlog.testing.capture_logs() as logs:
        await check.compare()
        clock.advance(minutes=minutes)
        for _ in range(3):
            await check.compare()
        assert not await check.clocks_agree()
        assert side in check.reason()
        clock.advance(minutes=-minutes)
        assert await check.clocks_agree()
    assert [entry["event"] for entry in logs] == ["clock.wrong", "clock.right_again"]
    assert logs[0]["log_level"] == "error"
    assert side in logs[0]["reason"]


async def test_clock_check_slow_answer_agrees(
    database: Database, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database may have told its time at any moment between the question and the answer."""
    moments = iter([clock.now(), clock.now() + timedelta(seconds=80)])
    monkeypatch.setattr(clock, "now", lambda: next(moments))
    check = ClockCheck(database, clock)
    await check.compare()
    assert await check.clocks_agree()


async def test_clock_check_without_database_keeps_its_last_result(clock: MovableClock) -> None:
    async with open_database("postgresql://nobody@127.0.0.1:1/nothing") as away:
        check = ClockCheck(away, clock)
        with pytest.raises(ServiceUnavailable):
            await check.compare()
        assert await check.clocks_agree()


async def test_clock_check_wrong_at_start_is_not_ready(
    serving_auth: Callable[..., Any], clock: MovableClock
) -> None:
    clock.advance(minutes=5)
    async with serving_auth(ready=False) as auth:
        await until(lambda: _only_clock_fails(auth))
        async with auth.http.get("/readyz") as answer:
            assert answer.status == 503
            assert "300 s ahead of PostgreSQL's" in (await answer.json())["reasons"]["clock"]
        clock.advance(minutes=-5)
        await until(auth.ready)


async def test_clock_check_wrong_later_is_found(
    serving_auth: Callable[..., Any], clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert clock_check.COMPARE_SECONDS == 60
    monkeypatch.setattr(clock_check, "COMPARE_SECONDS", 0.05)
    async with serving_auth() as auth:
        clock.advance(minutes=5)
        await until(lambda: _only_clock_fails(auth))


async def _only_clock_fails(client: AuthClient) -> bool:
    async with client.http.get("/readyz") as answer:
        checks = (await answer.json())["checks"]
    return [name for name, holds in checks.items() if not holds] == ["clock"]
