"""Counts the publishers' rounds in the head, so that subscribers can wait for a whole one."""

from shared.redis import BatchedRedis, Script, lua
from shared.revocation.catch_up import BEGUN
from shared.revocation.message import REVOCATION_HEAD

COMPLETE_ROUND = Script.of(lua("auth_service.revocation", "complete_round.lua"))
BEHIND = Script.of(lua("auth_service.revocation", "behind.lua"))


class PublishRounds:
    """The numbers of all publishers' rounds; each call is one command."""

    def __init__(self, redis: BatchedRedis) -> None:
        """Start nothing yet."""
        self._redis = redis

    async def start(self) -> int:
        """Start a round and return its number, higher than any that this Redis remembers."""
        return int(await self._redis.execute("HINCRBY", REVOCATION_HEAD, BEGUN, 1))

    async def complete(self, number: int) -> None:
        """Record that everything committed before a round started has been published."""
        await self._redis.run(COMPLETE_ROUND, [REVOCATION_HEAD], [number])

    async def behind(self, since: int | None) -> int:
        """Say that something is untold that any round after `since` will tell.

        Returns `since`, or the newest round's number when it is None.
        """
        arguments = ["" if since is None else since]
        return int(await self._redis.run(BEHIND, [REVOCATION_HEAD], arguments))
