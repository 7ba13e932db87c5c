"""Compares this machine's clock with PostgreSQL's: a wrong clock breaks the expiry of tokens."""

import contextlib
from collections.abc import AsyncIterator

import structlog

from shared.background import run_periodically
from shared.clock import Clock
from shared.db import Database
from shared.errors import ServiceUnavailable

COMPARE_SECONDS = 60
TOLERANCE_SECONDS = 30
log = structlog.get_logger()


class ClockCheck:
    """Checks whether the two clocks agree to half a minute."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ahead: float | None = None  # seconds; 0 while they agree, None at first

    async def compare(self) -> bool:
        """Return whether PostgreSQL's time agrees; log once when it differs, once when it agrees.

        Raises:
            ServiceUnavailable: the database is away; the last result stays.
        """
        before = self._clock.monotonic()  # a step of the other clock is no wait for the answer
        theirs = await self._database.fetchval("SELECT clock_timestamp()")
        half = (self._clock.monotonic() - before) / 2  # the answer was made somewhere between
        ahead = (self._clock.now() - theirs).total_seconds() - half
        excess = max(0.0, abs(ahead) - half)
        agreed = self._agrees
        self._ahead = ahead if excess > TOLERANCE_SECONDS else 0.0
        if agreed and not self._agrees:
            log.error("clock.wrong", reason=self.reason())
        elif self._agrees and not agreed:
            log.info("clock.right_again")
        return self._agrees

    async def clocks_agree(self) -> bool:
        """Return whether the clocks agree; compare again after a failure."""
        if self._ahead != 0:
            with contextlib.suppress(ServiceUnavailable):  # the check of the database says so
                await self.compare()
        return self._agrees

    def reason(self) -> str:
        """Return by how much this machine's clock is wrong."""
        side = "ahead of" if (self._ahead or 0) > 0 else "behind"
        return (
            f"this machine's clock is {abs(self._ahead or 0):.0f} s {side} PostgreSQL's; "
            f"at most {TOLERANCE_SECONDS} s are accepted"
        )

    @property
    def _agrees(self) -> bool:
        return not self._ahead


@contextlib.asynccontextmanager
async def watch_clock(check: ClockCheck) -> AsyncIterator[None]:
    """Compare the clocks each minute beside the block."""
    async with run_periodically("clock", check.compare, pause=COMPARE_SECONDS):
        yield
