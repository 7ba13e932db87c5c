"""Dead letters: messages that could not be sent, to be looked at and sent after all."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from auth_service.delivery.model import Delivery
from auth_service.delivery.queue import Queue
from auth_service.keyring import Keyring, SealBrokenError
from shared.clock import Clock, milliseconds
from shared.logs import mask

Outcome = Literal["queued", "ended", "unknown"]
BeforeHook = Callable[[], Awaitable[None]]


async def _nothing() -> None:
    """Nobody wants to know first."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter without what it says. `not_after` is in milliseconds.

    `template`, `channel` and `to` are None where the key that sealed it is no longer configured.
    """

    id: str
    template: str | None
    channel: str | None
    to: str | None
    reasons: dict[str, str]
    died_at: str
    not_after: int


class Letters:
    """What could not be sent."""

    def __init__(self, queue: Queue, keyring: Keyring, clock: Clock) -> None:
        """Read from `queue`."""
        self._queue = queue
        self._keyring = keyring
        self._clock = clock

    async def all(self) -> list[Letter]:
        """Return all of them, the newest first."""
        return self._opened(await self._queue.dead())

    async def page(self, place: int | None, limit: int) -> tuple[list[Letter], int | None]:
        """Return some of them, the newest first, and the next page's place.

        `place` counts from the oldest one, which new ones do not move; None begins at the newest.
        """
        place = await self._queue.count_dead() if place is None else place
        found = await self._queue.dead_from(place, limit + 1)
        more = place - limit if len(found) > limit else None
        return self._opened(found[:limit]), more

    async def retry(self, wanted: str, before: BeforeHook = _nothing) -> Outcome:
        """Put one back into the queue, unless its life has ended or somebody else just has.

        `before` is awaited when it is there to be put back; when that fails, it stays where it is.
        """
        for letter in await self._queue.dead():
            if letter["id"] != wanted:
                continue
            if letter["not_after"] <= milliseconds(self._clock.now()):
                return "ended"
            await before()
            if await self._queue.revive(letter):
                return "queued"
        return "unknown"

    async def delete(self, wanted: str, before: BeforeHook = _nothing) -> bool:
        """Forget one, also one whose life has ended; False when there is none.

        `before` is awaited when it is there to be deleted; when that fails, it stays where it is.
        """
        for letter in await self._queue.dead():
            if letter["id"] == wanted:
                await before()
                return await self._queue.delete_dead(letter)
        return False

    def _opened(self, letters: Sequence[dict[str, Any]]) -> list[Letter]:
        return [self._open(letter) for letter in letters]

    def _open(self, letter: dict[str, Any]) -> Letter:
        template = channel = to = None
        try:
            delivery = Delivery.opened(bytes.fromhex(letter["sealed"]), self._keyring)
        except SealBrokenError:
            pass
        else:
            template, channel, to = delivery.template, delivery.channel, mask(delivery.to)
        facts = {name: letter[name] for name in ("id", "reasons", "died_at", "not_after")}
        return Letter(template=template, channel=channel, to=to, **facts)
