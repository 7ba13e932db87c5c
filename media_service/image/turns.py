"""Whose turn it is: everybody in a line of their own, the lines one after the other."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar
from uuid import UUID

from shared.errors import ServiceUnavailable

RETRY_AFTER = 5
T = TypeVar("T")


class Turns(Generic[T]):
    """Hands out a few things to many who wait, one from each owner's line in turn.

    Who asks for a lot waits for itself: a newcomer waits for at most one turn of every other
    owner. Both the whole queue and each line are bounded.
    """

    def __init__(self, things: list[T], *, room: int, room_each: int) -> None:
        """Take what is handed out, and how many may wait at once in all and for one owner."""
        self._free = deque(things)
        self._lines: OrderedDict[UUID, deque[asyncio.Future[T]]] = OrderedDict()
        self._room, self._room_each = room, room_each
        self.waiting = 0

    def require_room(self, owner: UUID) -> None:
        """Return when one more may wait for that owner.

        Raises:
            ServiceUnavailable: the queue, or the owner's part of it, is full.
        """
        if self.waiting >= self._room or len(self._lines.get(owner, ())) >= self._room_each:
            raise ServiceUnavailable(RETRY_AFTER, "too many images are waiting to be decoded")

    @asynccontextmanager
    async def turn(self, owner: UUID, seconds: float) -> AsyncIterator[T]:
        """Wait for the owner's turn; hold the thing inside the block.

        Raises:
            ServiceUnavailable: there is no room to wait, or the turn does not come in time.
        """
        thing = self._free.popleft() if self._free else await self._wait(owner, seconds)
        try:
            yield thing
        finally:
            self._pass_on(thing)

    async def _wait(self, owner: UUID, seconds: float) -> T:
        self.require_room(owner)
        turn: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(owner, deque()).append(turn)
        self.waiting += 1
        try:
            async with asyncio.timeout(seconds):
                return await turn
        except BaseException as ended:
            self._leave(owner, turn)
            if isinstance(ended, TimeoutError):
                raise ServiceUnavailable(RETRY_AFTER, "decoding is overloaded") from None
            raise

    def _leave(self, owner: UUID, turn: "asyncio.Future[T]") -> None:
        """Give up waiting; what was handed over at that very moment goes to the next one."""
        if turn.done() and not turn.cancelled():
            self._pass_on(turn.result())
            return
        line = self._lines[owner]
        line.remove(turn)
        self.waiting -= 1
        if not line:
            del self._lines[owner]

    def _pass_on(self, thing: T) -> None:
        if not self._lines:
            self._free.append(thing)
            return
        owner, line = self._lines.popitem(last=False)
        turn = line.popleft()
        self.waiting -= 1
        if line:
            self._lines[owner] = line  # to the end: the others come first
        turn.set_result(thing)
