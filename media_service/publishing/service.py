"""Publishes creatives when they fall due, driven by the next due time."""

import asyncio
from datetime import datetime
from uuid import UUID

import structlog

from media_service.publishing import repository
from shared.clock import Clock
from shared.clock_check import ClockCheck
from shared.db import Database
from shared.entropy import Entropy, new_id
from shared.logs import describe_error

POLL_SECONDS = 0.25
"""The longest sleep. Then new creatives, also of other replicas, and clock steps are noticed."""

RETRY_SECONDS = 0.1
BATCH = 200
REFUSED_SECONDS = 60
"""A creative that PostgreSQL refuses to publish is left out for so long."""
log = structlog.get_logger()


class Publisher:
    """Publishes what is due, in order of due time; any number of replicas may do so at once."""

    def __init__(
        self, database: Database, clock: Clock, clock_check: ClockCheck, entropy: Entropy
    ) -> None:
        self._database = database
        self._clock = clock
        self._clock_check = clock_check
        self._entropy = entropy
        self.published = asyncio.Event()
        """Set after each batch, for the task that queues webhooks of it."""
        self._next: repository.NextDue | None = None
        self._refused = dict[UUID, float]()  # until when each is left out

    async def read_next_due(self) -> None:
        """Read when the next creative falls due."""
        self._next = await repository.find_next_due(self._database)

    async def publish_due(self) -> None:
        """Publish all that is due, until another replica or a user's change comes in between.

        Nothing while the clock is wrong: what is published stays so. A step is noticed at once.
        """
        await self.read_next_due()
        while self._is_due() and await self._clock_check.compare():
            count = await self._publish_batch(self._clock.now())
            if not count:
                break
            self.published.set()
            log.info("creatives.published", count=count)
            await self.read_next_due()

    def _is_due(self) -> bool:
        return self._next is not None and self._next.due_at <= self._clock.now()

    async def _publish_batch(self, now: datetime) -> int:
        """Publish a batch, one by one if it is refused whole, as one bad row is enough for that."""
        began = self._clock.monotonic()
        self._refused = {one: until for one, until in self._refused.items() if until > began}
        try:
            ids = [new_id(self._clock, self._entropy) for _ in range(BATCH)]
            return await repository.publish_due(self._database, now, ids, self._refused)
        except repository.RefusedError as error:
            log.warning("publishing.batch_refused", error=describe_error(error))
        due = await repository.find_due(self._database, now, self._refused, BATCH)
        return sum([await self._publish_one(now, creative_id) for creative_id in due])

    async def _publish_one(self, now: datetime, creative_id: UUID) -> int:
        """Return 1 if it is published, 0 if it is not, or refused."""
        try:
            ids = [new_id(self._clock, self._entropy)]
            return await repository.publish_due(self._database, now, ids, only=creative_id)
        except repository.RefusedError:
            log.exception("creative.publication_refused", creative_id=str(creative_id))
            self._refused[creative_id] = self._clock.monotonic() + REFUSED_SECONDS
            return 0

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
