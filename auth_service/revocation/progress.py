"""How far publishers are, as the head tells mirrors: who was cut off waits for it."""

from shared.redis import BatchedRedis, Script, lua
from shared.revocation.catch_up import BEGUN
from shared.revocation.message import HEAD

TOLD = Script.of(lua("auth_service.revocation", "told.lua"))
BEHIND = Script.of(lua("auth_service.revocation", "behind.lua"))


class Progress:
    """The numbers of all publishers' rounds; each call is one command."""

    def __init__(self, redis: BatchedRedis) -> None:
        """Begin nothing yet."""
        self._redis = redis

    async def begin(self) -> int:
        """Begin a round and return its number, higher than any that this Redis has not lost."""
        return int(await self._redis.execute("HINCRBY", HEAD, BEGUN, 1))

    async def told(self, number: int) -> None:
        """Say that everything has been told that was committed when a round began."""
        await self._redis.run(TOLD, [HEAD], [number])

    async def behind(self, since: int | None) -> int:
        """Say that something is untold that any round after `since` will tell.

        Returns `since`, or the newest round's number when it is None.
        """
        return int(await self._redis.run(BEHIND, [HEAD], ["" if since is None else since]))
