"""Counting attempts that send nothing: wrong passwords."""

import json
from collections.abc import Sequence

from auth_service.throttle.model import Scope
from shared.clock import Clock, milliseconds
from shared.errors import RateLimited
from shared.redis import BatchedRedis, Script, lua

LIMITS = lua("auth_service.throttle", "limits.lua")
ATTEMPT = Script.of(LIMITS, lua("auth_service.throttle", "attempt.lua"))


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

    async def forgive(self, scope: Scope, moment: int) -> None:
        """Take back what was counted: the attempt was no failure."""
        await self._redis.execute("LREM", scope.key, 1, moment)
