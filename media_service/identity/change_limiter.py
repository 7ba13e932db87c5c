"""Limits the changes of each user, counted in this process alone.

media_service may only read Redis, so replicas share no counter: with N replicas a user has up to N
times the limit. A restart forgets the counts.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from uuid import UUID

from shared.clock import Clock
from shared.errors import RateLimited
from shared.limits import Rate

MAX_USERS = 10_000
"""Users counted at once. One more forgets the user whose latest attempt is the oldest."""


class ChangeLimiter:
    """An exact sliding window for each user: the moments of the latest changes."""

    def __init__(self, rates: Sequence[Rate], clock: Clock) -> None:
        """Limit changes by all of the rates; no rates, no limit."""
        self._spans = [(rate.max_events, rate.window_ms / 1000) for rate in rates]
        self._most = max((most for most, _ in self._spans), default=0)
        self._widest = max((seconds for _, seconds in self._spans), default=0.0)
        self._clock = clock
        self._moments: OrderedDict[UUID, deque[float]] = OrderedDict()

    def count(self, user_id: UUID) -> None:
        """Count one change of the user.

        Raises:
            RateLimited: one of the rates is full; nothing was counted.
        """
        if not self._spans:
            return
        now = self._clock.monotonic()
        moments = self._moments.setdefault(user_id, deque(maxlen=self._most))
        self._moments.move_to_end(user_id)
        wait = max(_seconds_to_wait(moments, most, seconds, now) for most, seconds in self._spans)
        if wait > 0:
            raise RateLimited("LIMIT_CHANGES_PER_USER", int(-(-wait // 1)))
        moments.append(now)
        self._evict(now)

    def _evict(self, now: float) -> None:
        """Drop users whose changes are too old to count, and those above the bound.

        The user who was counted last is never dropped.
        """
        while len(self._moments) > 1:
            moments = next(iter(self._moments.values()))
            if len(self._moments) <= MAX_USERS and moments[-1] > now - self._widest:
                return
            self._moments.popitem(last=False)


def _seconds_to_wait(moments: deque[float], most: int, seconds: float, now: float) -> float:
    """Return the seconds until this rate takes another change, none or less where it does now."""
    if len(moments) < most:
        return 0.0
    return moments[-most] + seconds - now
