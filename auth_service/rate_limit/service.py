"""Counting attempts that send nothing: wrong passwords."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

from auth_service.rate_limit.model import Scope
from shared.clock import Clock, milliseconds
from shared.errors import RateLimited, ServiceUnavailable
from shared.redis import BatchedRedis, Script, lua

LIMITS = lua("auth_service.rate_limit", "sliding_window.lua")
ATTEMPT = Script.of(LIMITS, lua("auth_service.rate_limit", "attempt.lua"))


class Throttle:
    """Counts before it is known how an attempt ends, so that a thousand at once count alike."""

    def __init__(self, redis: BatchedRedis, clock: Clock) -> None:
        """Count in `redis`."""
        self._redis = redis
        self._clock = clock

    async def attempt(self, scopes: Sequence[Scope]) -> int:
        """Count one attempt in all of the scopes; return the moment under which it is counted.

        Raises:
            RateLimited: one of them is full; nothing was counted.
            ServiceUnavailable: Redis is away, so that nothing can be counted.
        """
        now = milliseconds(self._clock.now())
        rates = json.dumps([scope.rates for scope in scopes])
        wait: int = await self._redis.run(ATTEMPT, [scope.key for scope in scopes], [now, rates])
        if wait:
            raise RateLimited(-(-wait // 1000))
        return now

    @asynccontextmanager
    async def guess(self, scopes: Sequence[Scope]) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Count a password in all of the scopes while the block checks it.

        Yields what takes it back in the first of them, for when it has let somebody in. It is
        taken back here when the block ends in a 503: the password was not checked then. What
        tells of a wrong one belongs behind the block, else failing to tell would make guesses free.

        Raises:
            RateLimited: one of them is full; nothing was counted.
            ServiceUnavailable: Redis is away, so that nothing can be counted.
        """
        forgive = partial(self._forgive, scopes[0], await self.attempt(scopes))
        try:
            yield forgive
        except ServiceUnavailable:
            await forgive()
            raise

    async def _forgive(self, scope: Scope, moment: int) -> None:
        await self._redis.execute("LREM", scope.key, 1, moment)
