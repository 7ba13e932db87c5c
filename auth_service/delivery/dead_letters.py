"""Dead letters: messages that could not be sent, which operators inspect, retry or delete."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from auth_service.delivery.model import DEAD_LETTERS, STREAM, Delivery
from auth_service.keyring import Keyring, SealBrokenError
from shared.clock import Clock, milliseconds
from shared.logs import mask
from shared.redis import BatchedRedis, Script, Value, read_lua

REQUEUE = Script.from_sources(read_lua("auth_service.delivery", "requeue.lua"))
Outcome = Literal["queued", "ended", "unknown"]
BeforeHook = Callable[[], Awaitable[None]]


async def _no_hook() -> None:
    """Do nothing before a change."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter without its text. `not_after` is in milliseconds.

    `template`, `channel` and `to` are None when the key that sealed it is no longer configured.
    """

    id: str
    template: str | None
    channel: str | None
    to: str | None
    reasons: dict[str, str]
    died_at: str
    not_after: int


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """The list of dead letters. Without Redis its methods raise `ServiceUnavailable`."""

    redis: BatchedRedis
    keyring: Keyring
    clock: Clock

    async def all(self) -> list[DeadLetter]:
        """Return all of them, the newest first."""
        return [self._unseal(letter) for letter in await self._read_all()]

    async def page(self, position: int | None, limit: int) -> tuple[list[DeadLetter], int | None]:
        """Return up to `limit` dead letters, the newest first, and the next page's position.

        `position` counts from the oldest one, so new ones do not shift it; None starts at the
        newest.
        """
        if position is None:
            position = int(await self.redis.execute("LLEN", DEAD_LETTERS))
        found = await self._read_from(position, limit + 1)
        following = position - limit if len(found) > limit else None
        return [self._unseal(letter) for letter in found[:limit]], following

    async def retry(self, delivery_id: str, before: BeforeHook = _no_hook) -> Outcome:
        """Put one back into the queue, unless it has expired or is no longer there.

        `before` is awaited first, when there is one to requeue; if it fails, nothing changes.
        """
        for letter in await self._read_all():
            if letter["id"] != delivery_id:
                continue
            if letter["not_after"] <= milliseconds(self.clock.now()):
                return "ended"
            await before()
            if await self._requeue(letter):
                return "queued"
        return "unknown"

    async def delete(self, delivery_id: str, before: BeforeHook = _no_hook) -> bool:
        """Delete one, expired or not; False when there is none.

        `before` is awaited first, when there is one to delete; if it fails, nothing changes.
        """
        for letter in await self._read_all():
            if letter["id"] == delivery_id:
                await before()
                removed = await self.redis.execute("LREM", DEAD_LETTERS, 1, json.dumps(letter))
                return bool(removed)
        return False

    async def _read_all(self) -> list[dict[str, Any]]:
        return await self._read_range(0, -1)

    async def _read_from(self, position: int, count: int) -> list[dict[str, Any]]:
        """Return up to `count` letters from the one at `position`, counted from the oldest."""
        last = min(count - position - 1, -1)
        return await self._read_range(-position, last) if position > 0 else []

    async def _read_range(self, first: int, last: int) -> list[dict[str, Any]]:
        letters: list[bytes] = await self.redis.execute("LRANGE", DEAD_LETTERS, first, last)
        return [json.loads(letter) for letter in letters]

    async def _requeue(self, letter: dict[str, Any]) -> bool:
        """Move a letter back into the queue; False when another request just moved it."""
        fields: list[Value] = ["id", letter["id"], "not_after", letter["not_after"]]
        arguments = [json.dumps(letter), *fields, "sealed", bytes.fromhex(letter["sealed"])]
        return bool(await self.redis.run(REQUEUE, [STREAM, DEAD_LETTERS], arguments))

    def _unseal(self, letter: dict[str, Any]) -> DeadLetter:
        template = channel = to = None
        try:
            delivery = Delivery.unseal(bytes.fromhex(letter["sealed"]), self.keyring)
        except SealBrokenError:
            pass
        else:
            template, channel, to = delivery.template, delivery.channel, mask(delivery.to)
        fields = {name: letter[name] for name in ("id", "reasons", "died_at", "not_after")}
        return DeadLetter(template=template, channel=channel, to=to, **fields)
