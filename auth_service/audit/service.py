"""Recording events: in the transaction of a change, or by themselves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from uuid import UUID

from auth_service.audit import repository
from auth_service.audit.errors import NotAudited
from auth_service.audit.model import Event, EventFilter, StoredEvent
from auth_service.settings import AuthSettings
from shared.clock import Clock
from shared.db import Connection, Database
from shared.entropy import Entropy, new_id
from shared.errors import DomainError

RETENTION = timedelta(days=400)
BATCH = 1000
REFUSALS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


@dataclass(frozen=True, slots=True)
class AuditLog:
    """Stores audit events. The event of a change belongs in the change's transaction."""

    database: Database
    clock: Clock
    entropy: Entropy
    settings: AuthSettings

    def to_json(self, event: Event) -> str:
        """Return the event for a statement with `repository.insert_event_sql` in it."""
        event_id = new_id(self.clock, self.entropy)
        return event.to_json(event_id, self.clock.now(), self.settings.webhook_contacts)

    async def append(self, event: Event, connection: Connection | None = None) -> None:
        """Store an event: in the transaction of its change, or one without a change.

        Raises:
            ServiceUnavailable: it cannot be stored, so its action must not go on.
        """
        await repository.insert_event(connection or self.database, self.to_json(event))

    @asynccontextmanager
    async def record_refusals(self, event: Event, *, limits: bool = False) -> AsyncIterator[None]:
        """Store the event as a failure if the block raises a 401 or 403; the error goes on.

        A `NotAudited` error is stored only if the event names a user. `limits`: a 429 is stored
        too, which is for requests that cannot come in any number.
        """
        statuses = REFUSALS | ({HTTPStatus.TOO_MANY_REQUESTS} if limits else set())
        try:
            yield
        except DomainError as refused:
            is_irrelevant = event.user_id is None and isinstance(refused, NotAudited)
            if refused.status in statuses and not is_irrelevant:
                details = {**event.details, "reason": refused.code}
                await self.append(replace(event, outcome="failure", details=details))
            raise

    async def list_events(
        self, filter_: EventFilter, before: UUID, limit: int
    ) -> list[StoredEvent]:
        """Return events older than the id `before`, the newest first."""
        return await repository.list_events(self.database, filter_, before, limit)

    async def remove_old(self) -> int:
        """Remove events past their retention; return how many."""
        removed, moment = 0, self.clock.now() - RETENTION
        while count := await repository.remove_older(self.database, moment, BATCH):
            removed += count
        return removed
