"""Asks mirrors for time, from the end of an outage until all that it kept us from is told."""

import asyncio

from auth_service.revocation.publish_rounds import PublishRounds
from shared.background import cancel_and_wait, repeat_forever
from shared.redis import BatchedRedis

SAY_SECONDS = 0.3
PAUSE_SECONDS = 0.1


class Lateness:
    """Says that we are behind, beside the rounds: a slow database may hold these up for long."""

    def __init__(self, rounds: PublishRounds, redis: BatchedRedis) -> None:
        """Nothing was missed yet."""
        self._rounds = rounds
        self._redis = redis
        self._turn = asyncio.Lock()
        self._saying: asyncio.Task[None] | None = None
        self._since: int | None = None
        self._ended = False
        self.missed = 0
        """How often something could not be told, or may not have been."""

    @property
    def late(self) -> bool:
        """Whether we are saying so."""
        return self._saying is not None

    def miss(self) -> None:
        """Note that something may be untold; say so as soon as Redis answers, again and again."""
        self.missed += 1
        self._since = None
        if self._saying is None and not self._ended:
            saying = repeat_forever("catch_up", self._say, pause=PAUSE_SECONDS)
            self._saying = asyncio.create_task(saying, name="catch_up")

    async def begin(self) -> int:
        """Begin a round, once it is said that those before have not told what was missed so far."""
        if self.late and self._since is None:
            await self._say()
        return await self._rounds.start()

    async def _say(self) -> None:
        async with self._turn:
            missed = self.missed
            since = await self._redis.with_timeout(SAY_SECONDS, self._rounds.behind(self._since))
            if missed == self.missed:
                self._since = since

    async def make_up(self, missed: int) -> None:
        """Say no more, unless something was missed since `missed` was read."""
        async with self._turn:  # so that nothing is said any more once this is over
            if self._saying is not None and missed == self.missed:
                self._saying.cancel()
                self._saying = None

    async def end(self) -> None:
        """Say nothing more."""
        self._ended = True
        if self._saying is not None:
            await cancel_and_wait(self._saying)
            self._saying = None
