"""Checks whether the publishers have published everything that was revoked during an outage."""

from collections.abc import Mapping
from math import inf
from typing import NamedTuple, Self

STARTED = "begun"
"""The head's field that counts the rounds of all publishers, as each starts."""
COMPLETE = "told"
"""The head's field with the newest round by whose start everything committed is published."""

NO_PUBLISHER_SECONDS = 3.0


class PublisherRounds(NamedTuple):
    """How far the publishers' rounds are."""

    started: int
    complete: int

    @classmethod
    def of(cls, head: Mapping[bytes, bytes]) -> Self:
        """Read the counters from the head's hash."""
        started, complete = (int(head.get(name.encode(), 0)) for name in (STARTED, COMPLETE))
        return cls(started, complete)


class CatchUp:
    """Decides when a subscriber may trust the stream.

    Revocations that were committed during an outage are not in the stream yet when Redis returns.
    A round that starts after our first look at the head publishes them: wait until one is complete.
    If no counter changes for `NO_PUBLISHER_SECONDS`, no publisher is alive, and the stream is all
    there is. A publisher whose round is held up goes on counting, so it does not look dead.

    Each connection waits, also the first one of a process: a failover may just have lost entries. A
    subscriber that stays connected waits for nothing: late messages reach it.
    """

    def __init__(self) -> None:
        """Wait for a whole round after the next look, as Redis may have been away for everyone."""
        self._awaited = 0
        self._counters: PublisherRounds | None = None
        self._silent_from = inf
        self._is_done = False

    def observe_head(
        self, head: Mapping[bytes, bytes], asked_at: float, answered_at: float
    ) -> bool:
        """Take the head and the moments (monotonic) of its request; True once it can be trusted."""
        if self._is_done:
            return True
        counters = PublisherRounds.of(head)
        if self._counters is None or counters.started < self._counters.started:  # lost by Redis
            self._awaited = counters.started + 1
        if counters != self._counters:
            self._counters = counters
            self._silent_from = answered_at + NO_PUBLISHER_SECONDS
        is_silent = asked_at >= self._silent_from
        self._is_done = counters.complete >= self._awaited or is_silent
        return self._is_done
