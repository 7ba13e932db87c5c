"""Shares the attempts of one process: receivers that are slow take no turns of quick ones."""

from dataclasses import dataclass, field
from uuid import UUID

from shared.webhooks.delivery.model import DueQuery

MAX_KNOWN = 10_000
"""Slow endpoints that a process remembers."""


@dataclass(slots=True)
class DeliveryLanes:
    """Two lanes of `width` attempts: endpoints whose last attempt was slow have one of their own.

    An attempt that becomes slow changes to the other lane, even if that is full: its endpoint is
    then known, so it happens once for each. An endpoint gets its next attempts when its last ones
    have ended.
    """

    width: int
    _endpoints: dict[UUID, UUID] = field(default_factory=dict)
    _slow_attempts: set[UUID] = field(default_factory=set)
    _slow_endpoints: dict[UUID, None] = field(default_factory=dict)

    def quick_query(self) -> DueQuery:
        """Return which deliveries to start in the lane of quick attempts."""
        quick = len(self._endpoints) - len(self._slow_attempts)
        busy = {*self._endpoints.values(), *self._slow_endpoints}
        return DueQuery(self.width - quick, busy)

    def slow_query(self) -> DueQuery:
        """Return which deliveries to start in the lane of slow attempts."""
        idle = set(self._slow_endpoints) - set(self._endpoints.values())
        return DueQuery(self.width - len(self._slow_attempts), only=idle)

    def enter(self, delivery_id: UUID, endpoint_id: UUID) -> None:
        """Count an attempt that begins."""
        self._endpoints[delivery_id] = endpoint_id
        if endpoint_id in self._slow_endpoints:
            self._slow_attempts.add(delivery_id)

    def slow_down(self, delivery_id: UUID) -> None:
        """Move an attempt that takes long, and remember its endpoint."""
        endpoint_id = self._endpoints[delivery_id]
        self._slow_attempts.add(delivery_id)
        self._slow_endpoints[endpoint_id] = None
        if len(self._slow_endpoints) > MAX_KNOWN:
            del self._slow_endpoints[next(iter(self._slow_endpoints))]

    def leave(self, delivery_id: UUID, *, was_slow: bool) -> None:
        """Count an attempt that has ended; a quick one returns its endpoint to the quick lane."""
        endpoint_id = self._endpoints.pop(delivery_id)
        self._slow_attempts.discard(delivery_id)
        if not was_slow:
            self._slow_endpoints.pop(endpoint_id, None)
