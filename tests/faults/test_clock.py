"""Clocks that step: a token may be refused, a revoked one is never let in."""

import asyncio
from datetime import UTC, datetime, timedelta

from shared.clock import SystemClock
from tests.faults.stack import BreakableStack, log_out


class SteppingClock(SystemClock):
    """The machine's clock, set by somebody; what measures spans goes on."""

    def __init__(self) -> None:
        self.step = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.step


async def test_clock_stepped_five_minutes_revives_no_revoked_token(stack: BreakableStack) -> None:
    clock = stack.clock = SteppingClock()
    async with stack.both() as (auth, media):
        alive, dead, later = await stack.tokens(3)
        assert (await log_out(auth, dead)).status == 204
        await media.until(dead, 401)
        for minutes in (5, -5, 5, 0):
            clock.step = timedelta(minutes=minutes)
            for _ in range(3):
                assert await media.status(dead) == 401
                assert await media.status(alive) in {200, 401}  # never unsure
                await asyncio.sleep(0.1)
        clock.step = timedelta(minutes=-5)
        assert (await log_out(auth, later)).status == 204
        clock.step = timedelta()
        await stack.redis.flushall()
        async with stack.media() as newcomer:
            await newcomer.until(alive, 200)
            assert [await newcomer.status(token) for token in (dead, later)] == [401, 401]
