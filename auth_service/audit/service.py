"""Recording events: with the change that they tell of, or by themselves when nothing changed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from uuid import UUID

from auth_service.audit import repository
from auth_service.audit.errors import NotAudited
from auth_service.audit.model import Event, EventFilter, StoredEvent
from shared.clock import Clock
from shared.db import Connection, Database
from shared.entropy import Entropy, new_id
from shared.errors import DomainError

RETENTION = timedelta(days=400)
BATCH = 1000
REFUSALS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


class AuditLog:
    """Appends events. An event that tells of a change is stored in the change's transaction."""

    def __init__(self, database: Database, clock: Clock, entropy: Entropy) -> None:
        """Write to `database`."""
        self._database = database
        self._clock = clock
        self._entropy = entropy

    def to_json(self, event: Event) -> str:
        """Return the event for a statement that has `repository.appending` in it."""
        return event.to_json(new_id(self._clock, self._entropy), self._clock.now())

    async def append_in(self, connection: Connection, event: Event) -> None:
        """Add the event in the transaction of the change."""
        await repository.insert_event(connection, self.to_json(event))

    async def append(self, event: Event) -> None:
        """Add an event that changes nothing, such as a refusal.

        Raises:
            ServiceUnavailable: it cannot be stored, so that what it tells of must not go on.
        """
        async with self._database.connection() as connection:
            await repository.insert_event(connection, self.to_json(event))

    @asynccontextmanager
    async def record_refusals(self, event: Event) -> AsyncIterator[None]:
        """Add the event as a failure when the block ends in a 401 or 403; the refusal goes on.

        One that concerns nobody's code or ticket is let go on by itself, unless it is known whom
        the event is about.
        """
        try:
            yield
        except DomainError as refused:
            idle = event.user_id is None and isinstance(refused, NotAudited)
            if refused.status in REFUSALS and not idle:
                details = {**event.details, "reason": refused.code}
                await self.append(replace(event, outcome="failure", details=details))
            raise

    async def list_events(self, wanted: EventFilter, before: UUID, limit: int) -> list[StoredEvent]:
        """Return events, the newest first, from behind the one with the id `before` on."""
        return await repository.list_events(self._database, wanted, before, limit)

    async def remove_old(self) -> int:
        """Remove events past their life; return how many."""
        removed, moment = 0, self._clock.now() - RETENTION
        while count := await repository.remove_older(self._database, moment, BATCH):
            removed += count
        return removed
