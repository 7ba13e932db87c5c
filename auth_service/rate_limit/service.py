"""Counting attempts that send no message, such as passwords."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog

from auth_service.rate_limit.model import Scope
from shared.clock import Clock, milliseconds
from shared.errors import RateLimited, ServiceUnavailable
from shared.redis import BatchedRedis, Script, read_lua

LIMITS = read_lua("auth_service.rate_limit", "sliding_window.lua")
Refund = Callable[[], Awaitable[None]]
log = structlog.get_logger()
ATTEMPT = Script.from_sources(LIMITS, read_lua("auth_service.rate_limit", "attempt.lua"))


@dataclass(frozen=True, slots=True)
class RateLimiter:
    """Counts an attempt before its outcome is known, so that concurrent ones all count."""

    redis: BatchedRedis
    clock: Clock

    async def count(self, scopes: Sequence[Scope]) -> int:
        """Count one attempt in all of the scopes; return its time (ms), which identifies it.

        Raises:
            RateLimited: one of them is full; nothing was counted.
            ServiceUnavailable: Redis is away, so that nothing can be counted.
        """
        now = milliseconds(self.clock.now())
        rates = json.dumps([scope.rates for scope in scopes])
        keys = [scope.key for scope in scopes]
        wait, index = await self.redis.run(ATTEMPT, keys, [now, rates])
        if wait:
            raise RateLimited(scopes[index - 1].setting, -(-wait // 1000))
        return now

    @asynccontextmanager
    async def attempt(self, scopes: Sequence[Scope]) -> AsyncIterator[Refund]:
        """Count a password in all of the scopes while the block checks it.

        Yields a function that refunds the attempt in the first scope, for a right password. A 503
        in the block refunds it too: the password was not checked. Record a wrong password after
        the block: else a failure to record would make guesses free.

        Raises:
            RateLimited: one of them is full; nothing was counted.
            ServiceUnavailable: Redis is away, so that nothing can be counted.
        """
        refund = partial(self._refund, scopes[0], await self.count(scopes))
        try:
            yield refund
        except ServiceUnavailable:
            await refund()
            raise

    async def _refund(self, scope: Scope, time_ms: int) -> None:
        """Take an attempt back; without Redis it stays counted, since its success is stored."""
        try:
            await self.redis.execute("LREM", scope.key, 1, time_ms)
        except ServiceUnavailable:
            log.warning("rate_limit.refund_failed")
