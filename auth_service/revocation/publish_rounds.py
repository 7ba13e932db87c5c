"""Counts the publishers' rounds in the head, so that subscribers can wait for a whole one."""

from dataclasses import dataclass

from shared.redis import BatchedRedis, Script, read_lua
from shared.revocation.catch_up import STARTED
from shared.revocation.message import REVOCATION_HEAD

COMPLETE_ROUND = Script.from_sources(read_lua("auth_service.revocation", "complete_round.lua"))


@dataclass(frozen=True, slots=True)
class PublishRounds:
    """The numbers of all publishers' rounds; each call is one command."""

    redis: BatchedRedis

    async def start(self) -> int:
        """Start a round and return its number, higher than any that this Redis remembers."""
        return int(await self.redis.execute("HINCRBY", REVOCATION_HEAD, STARTED, 1))

    async def show_alive(self) -> None:
        """Keep subscribers waiting for a round that takes long; the number is nobody's round."""
        await self.start()

    async def complete(self, number: int) -> None:
        """Record that everything committed before a round started has been published."""
        await self.redis.run(COMPLETE_ROUND, [REVOCATION_HEAD], [number])
