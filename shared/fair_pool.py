"""A fair pool: keys take turns at the items; waiters of one key are first come, first served."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Hashable, Iterable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from shared.errors import ServiceUnavailable

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class FairPool(Generic[K, T]):
    """Lends a few items to many waiters, one waiter of each key in turn.

    A newcomer waits for at most one turn of every other key, however many waiters those keys have.
    A released item goes straight to the next waiter, so that no newcomer overtakes. With one key
    for all, the order is first come, first served.
    """

    def __init__(
        self,
        items: Iterable[T],
        *,
        refusal: Callable[[], ServiceUnavailable],
        capacity: float = float("inf"),
        capacity_per_key: float = float("inf"),
    ) -> None:
        """Lend `items`; `refusal` makes the error of a waiter that is refused or waits too long.

        `capacity` bounds the waiters, `capacity_per_key` those of one key.
        """
        self._free = deque(items)
        self._lines: OrderedDict[K, OrderedDict[asyncio.Future[T], None]] = OrderedDict()
        self._refusal = refusal
        self._capacity, self._capacity_per_key = capacity, capacity_per_key
        self.waiting = 0

    @property
    def has_free_item(self) -> bool:
        """Return whether the next call of `acquire` returns at once."""
        return bool(self._free)

    def require_capacity(self, key: K) -> None:
        """Return when one more waiter of this key may wait.

        When all places are taken, it may only if another key has a longer line than its own.

        Raises:
            ServiceUnavailable: it would be refused.
        """
        own = len(self._lines.get(key, ())) + 1
        full = self.waiting >= self._capacity
        if own > self._capacity_per_key or (full and self._longest_line() <= own):
            raise self._refusal()

    @asynccontextmanager
    async def turn(self, key: K, seconds: float | None = None) -> AsyncIterator[T]:
        """Lend an item for the block.

        Raises:
            ServiceUnavailable: as `acquire` does.
        """
        item = await self.acquire(key, seconds)
        try:
            yield item
        finally:
            self.release(item)

    async def acquire(self, key: K, seconds: float | None = None) -> T:
        """Return an item when the turn comes; the caller must `release` it.

        When all places are taken, the newest waiter of the longest line is refused.

        Raises:
            ServiceUnavailable: the waiter is refused, or its turn did not come within `seconds`.
        """
        if self._free:
            return self._free.popleft()
        waiter = self._enqueue(key)
        try:
            async with asyncio.timeout(seconds):
                return await waiter
        except BaseException as error:
            self._leave(key, waiter)
            if isinstance(error, TimeoutError):
                raise self._refusal() from None
            raise

    def release(self, item: T) -> None:
        """Hand the item to the next waiter; keep it while there is none."""
        while self._lines:
            key, line = self._lines.popitem(last=False)
            waiter, _ = line.popitem(last=False)
            self.waiting -= 1
            if line:
                self._lines[key] = line  # at the end: the other keys come first
            if not waiter.done():
                waiter.set_result(item)
                return
            if line:  # a cancelled waiter, which has yet to leave, costs its key no turn
                self._lines.move_to_end(key, last=False)
        self._free.append(item)

    def _enqueue(self, key: K) -> asyncio.Future[T]:
        self.require_capacity(key)
        if self.waiting >= self._capacity:
            self._evict()
        waiter: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(key, OrderedDict())[waiter] = None
        self.waiting += 1
        return waiter

    def _longest_line(self) -> int:
        return max(map(len, self._lines.values()), default=0)

    def _evict(self) -> None:
        """Refuse the newest waiter of the longest line; of equal ones, the last to be served."""
        line = max(reversed(self._lines.values()), key=len)
        waiter, _ = line.popitem()
        self.waiting -= 1
        if not waiter.done():
            waiter.set_exception(self._refusal())

    def _leave(self, key: K, waiter: asyncio.Future[T]) -> None:
        """Give up waiting; an item that was handed over at that very moment goes on."""
        line = self._lines.get(key)
        if line is not None and waiter in line:
            del line[waiter]
            self.waiting -= 1
            if not line:
                del self._lines[key]
        elif not waiter.cancelled() and waiter.exception() is None:
            self.release(waiter.result())
