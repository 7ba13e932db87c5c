"""Shares the attempts of one process: receivers that are slow take no turns of quick ones."""

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from shared.webhooks.delivery.model import ClaimedDelivery, DueQuery

MAX_PER_ENDPOINT = 5
"""Attempts at once to one endpoint, by one process."""

SLOW_SHARE = 5
"""Attempts at once to all slow endpoints of an owner."""

MAX_KNOWN = 10_000
"""Endpoints that a process remembers."""

SLOW = 0


@dataclass(slots=True)
class DeliveryLanes:
    """Two lanes of `width` attempts: endpoints whose last attempt was slow have one of their own.

    An attempt that becomes slow changes to the other lane, even if that is full: its endpoint is
    then known, so it happens once for each. An endpoint that is unknown, or was slow, has one quick
    attempt at once. Each one that ends allows it one more. The endpoints of an owner share a fifth
    of a lane. The slow ones share half of that at most, so they leave room for the others.
    """

    width: int
    _running: dict[UUID, ClaimedDelivery] = field(default_factory=dict)
    _slow_attempts: set[UUID] = field(default_factory=set)
    _allowed: dict[UUID, int] = field(default_factory=dict)
    """How many attempts an endpoint may have at once, or `SLOW`."""

    def quick_query(self) -> DueQuery:
        """Return which deliveries to start in the lane of quick attempts."""
        running = Counter(one.endpoint_id for one in self._running.values())
        allowed = dict.fromkeys(running, 1) | self._allowed
        places = {one: max(0, count - running[one]) for one, count in allowed.items()}
        free = self.width - len(self._running) + len(self._slow_attempts)
        return DueQuery(free, places, self._owner_places(), self._owner_share)

    def slow_query(self) -> DueQuery:
        """Return which deliveries to start in the lane of slow attempts."""
        slow = self.slow_endpoints()
        running = Counter(one.endpoint_id for one in self._running.values())
        places = {one: max(0, MAX_PER_ENDPOINT - running[one]) for one in slow}
        owners = Counter(self._running[one].user_id for one in self._slow_attempts)
        owner_places = {
            one: max(0, min(count, SLOW_SHARE - owners[one]))
            for one, count in self._owner_places().items()
        }
        free = self.width - len(self._slow_attempts)
        return DueQuery(free, places, owner_places, SLOW_SHARE, only=slow)

    def slow_endpoints(self) -> set[UUID]:
        """Return the endpoints whose last attempt was slow."""
        return {one for one, count in self._allowed.items() if count == SLOW}

    def enter(self, claimed: ClaimedDelivery) -> None:
        """Count an attempt that begins."""
        self._running[claimed.id] = claimed
        if self._allowed.get(claimed.endpoint_id) == SLOW:
            self._slow_attempts.add(claimed.id)

    def mark_slow(self, claimed: ClaimedDelivery) -> None:
        """Move an attempt that takes long to the other lane."""
        self._slow_attempts.add(claimed.id)
        self._allow(claimed.endpoint_id, SLOW)

    def judge(self, claimed: ClaimedDelivery, *, was_slow: bool) -> None:
        """Remember whether the endpoint was slow, which decides the lane of its next attempt."""
        before = self._allowed.get(claimed.endpoint_id, 1)
        self._allow(claimed.endpoint_id, SLOW if was_slow else min(before + 1, MAX_PER_ENDPOINT))

    def leave(self, claimed: ClaimedDelivery) -> None:
        """Count an attempt that has ended."""
        del self._running[claimed.id]
        self._slow_attempts.discard(claimed.id)

    @property
    def _owner_share(self) -> int:
        return max(self.width // 5, 2 * SLOW_SHARE)

    def _owner_places(self) -> dict[UUID, int]:
        running = Counter(one.user_id for one in self._running.values())
        return {one: max(0, self._owner_share - count) for one, count in running.items()}

    def _allow(self, endpoint_id: UUID, count: int) -> None:
        self._allowed.pop(endpoint_id, None)  # the one changed longest ago is forgotten first
        self._allowed[endpoint_id] = count
        if len(self._allowed) > MAX_KNOWN:
            del self._allowed[next(iter(self._allowed))]
