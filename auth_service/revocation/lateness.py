"""Asks mirrors for time, from the end of an outage until all that it kept us from is told."""

import asyncio

from auth_service.revocation.backlog import Backlog
from shared.background import cancelled, repeat
from shared.revocation.catch_up import BEHIND, DONE

PAUSE_SECONDS = 0.1


class Lateness:
    """Says that we are behind, beside the rounds: a slow database may hold these up for long.

    Mirrors that have heard it are not in touch before they hear that we are done, or nothing any
    more.
    """

    def __init__(self, backlog: Backlog) -> None:
        """Nothing was missed yet."""
        self._backlog = backlog
        self._turn = asyncio.Lock()
        self._saying: asyncio.Task[None] | None = None
        self.missed = 0
        """How often something could not be told."""

    @property
    def late(self) -> bool:
        """Whether something may be untold."""
        return self._saying is not None

    def miss(self) -> None:
        """Note that something may be untold; say so as soon as Redis answers, again and again."""
        self.missed += 1
        if self._saying is None:
            saying = repeat("catch_up", self._say_behind, pause=PAUSE_SECONDS)
            self._saying = asyncio.create_task(saying, name="catch_up")

    async def _say_behind(self) -> None:
        async with self._turn:
            await self._backlog.say(BEHIND)

    async def make_up(self, missed: int) -> None:
        """Say that all is told that was missed when `missed` was read; what came since is not."""
        if self._saying is None:
            return
        async with self._turn:  # so that "behind" is not under way, and the task may be cancelled
            if missed == self.missed:
                await self._backlog.say(DONE)
            if missed == self.missed:  # not while that was said, either
                self._saying.cancel()
                self._saying = None

    async def end(self) -> None:
        """Say nothing more."""
        if self._saying is not None:
            await cancelled(self._saying)
            self._saying = None
