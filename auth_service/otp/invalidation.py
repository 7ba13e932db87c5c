"""Making codes worthless that are on their way to a user who is cut off."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from auth_service.throttle.model import digest
from auth_service.user.model import User
from shared.clock import Clock, milliseconds
from shared.db import Connection, Database
from shared.redis import BatchedRedis


class CodeInvalidator:
    """Ends the life of codes, whatever they are for. Without Redis: `ServiceUnavailable`."""

    def __init__(self, redis: BatchedRedis, clock: Clock, *, life_seconds: int) -> None:
        """Note in `redis` which codes are void; `life_seconds`: how long a code lives."""
        self._redis = redis
        self._clock = clock
        self._life_ms = life_seconds * 1000

    @asynccontextmanager
    async def revoking(self, database: Database, user: User) -> AsyncIterator[Connection]:
        """Lend a connection in a transaction that cuts the user off, from outstanding codes too.

        Codes that are on their way to the user are made worthless just before the commit, and once
        more after it: one may have been asked for in between.

        Raises:
            ServiceUnavailable: Redis is away. Nothing was changed, or the call may be repeated.
        """
        async with database.transaction() as connection:
            yield connection
            await self.invalidate(user.challenged)
        await self.invalidate(user.challenged)

    async def invalidate(self, addresses: Iterable[str]) -> None:
        """Make every code worthless that is on its way to one of these, whatever it is for."""
        until = milliseconds(self._clock.now()) + self._life_ms
        for address in addresses:
            await self._redis.execute("SET", void_key(address), until, "PX", self._life_ms)


def void_key(address: str) -> str:
    """Return the key that says until when an address' challenges are void: earlier ones are."""
    return f"void:{digest(address)}"
