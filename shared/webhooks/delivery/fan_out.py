"""Queues a delivery of each event to each endpoint that is to get it, without delay."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.background import run_periodically
from shared.clock import Clock
from shared.clock_check import ClockCheck
from shared.db import Database
from shared.entropy import Entropy, new_id
from shared.webhooks.delivery import repository
from shared.webhooks.delivery.model import ClaimedEvent, DeliverySchedule, NewDelivery

POLL_SECONDS = 0.25
"""The longest sleep. Then events of changes, and of other processes, are noticed."""
BATCH = 200


class EventEncoder(Protocol):
    """Encodes the events of a service."""

    def encode(self, event: ClaimedEvent, now: datetime) -> str:
        """Return the body of an event's messages."""
        ...


@dataclass(frozen=True, slots=True)
class EventFanOut:
    """Queues the deliveries of events; any number of processes may do so at once.

    An event is claimed in the transaction that queues its deliveries, so each is queued once.
    """

    database: Database
    event_messages: EventEncoder
    delivery_schedule: DeliverySchedule
    clock: Clock
    clock_check: ClockCheck
    entropy: Entropy

    async def queue_deliveries(self) -> int:
        """Queue the deliveries of all events that have none yet; return how many.

        None while the clock is wrong: they would fall due, and their links end, by that clock.
        """
        queued, count = 0, BATCH if await self.clock_check.clocks_agree() else 0
        while count == BATCH:
            async with self.database.transaction() as connection:
                events = await repository.claim_events(connection, BATCH)
                now = self.clock.now()
                deliveries = self._deliveries(events, now)
                if deliveries:
                    first_attempt_at = now + self.delivery_schedule.delays[0]
                    await repository.insert_many(connection, deliveries, now, first_attempt_at)
            queued, count = queued + len(deliveries), len(events)
        return queued

    def _deliveries(self, events: Sequence[ClaimedEvent], now: datetime) -> list[NewDelivery]:
        """Return the events' deliveries; their ids have the order of the events."""
        wanted = [event for event in events if event.endpoint_ids]
        total = sum(len(event.endpoint_ids) for event in wanted)
        ids = iter(sorted(new_id(self.clock, self.entropy) for _ in range(total)))
        return [
            NewDelivery(next(ids), endpoint_id, event.id, event.type, body)
            for event in wanted
            for body in [self.event_messages.encode(event, now)]
            for endpoint_id in event.endpoint_ids
        ]


@contextlib.asynccontextmanager
async def run_fan_out(
    fan_out: EventFanOut, written: asyncio.Event, queued: asyncio.Event
) -> AsyncIterator[None]:
    """Queue deliveries until the block ends: at once when `written` is set; then set `queued`."""

    async def once() -> None:
        if await fan_out.queue_deliveries():
            queued.set()

    async with run_periodically("webhooks.queueing", once, pause=POLL_SECONDS, wake=written):
        yield
