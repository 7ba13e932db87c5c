"""Publishes creatives when they fall due, driven by the next due time."""

import asyncio

import structlog

from media_service.publishing import repository
from shared.clock import Clock
from shared.db import Database
from shared.entropy import Entropy, new_id

POLL_SECONDS = 0.25
"""The longest sleep. Then new creatives, also of other replicas, and clock steps are noticed."""

RETRY_SECONDS = 0.1
BATCH = 200
log = structlog.get_logger()


class Publisher:
    """Publishes what is due, in order of due time; any number of replicas may do so at once."""

    def __init__(self, database: Database, clock: Clock, entropy: Entropy) -> None:
        self._database = database
        self._clock = clock
        self._entropy = entropy
        self.published = asyncio.Event()
        """Set after each batch, for the task that queues webhooks of it."""
        self._next: repository.NextDue | None = None

    async def look(self) -> None:
        """Read when the next creative falls due."""
        self._next = await repository.find_next_due(self._database)

    async def publish_due(self) -> None:
        """Publish all that is due, until another replica or a user's change comes in between."""
        await self.look()
        while self._next and self._next.due_at <= self._clock.now():
            ids = [new_id(self._clock, self._entropy) for _ in range(BATCH)]
            count = await repository.publish_due(self._database, self._clock.now(), ids)
            if not count:
                break
            self.published.set()
            log.info("creatives.published", count=count)
            await self.look()

    def pause(self) -> float:
        """Return the seconds to sleep: until the next creative falls due, or `POLL_SECONDS`."""
        if self._next is None:
            return POLL_SECONDS
        seconds = (self._next.due_at - self._clock.now()).total_seconds()
        return min(seconds, POLL_SECONDS) if seconds > 0 else RETRY_SECONDS

    def overdue_seconds(self) -> float:
        """Return for how long the first creative has been due or, if changed since, unchanged."""
        if self._next is None:
            return 0
        return max(0, (self._clock.now() - self._next.expected_at).total_seconds())
