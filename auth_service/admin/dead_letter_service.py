"""Dead letters as operators change them: each change is audited first."""

from dataclasses import dataclass
from functools import partial

from auth_service.admin.errors import DeadLetterExpired
from auth_service.admin.model import Actor
from auth_service.audit.model import Event, EventName
from auth_service.audit.service import AuditLog
from auth_service.delivery.dead_letters import DeadLetter, DeadLetters
from shared.errors import NotFound


@dataclass(frozen=True, slots=True)
class DeadLetterAdministration:
    """Lists, retries and deletes dead letters. The audit event is stored before the change."""

    dead_letters: DeadLetters
    audit: AuditLog

    async def page(self, position: int | None, limit: int) -> tuple[list[DeadLetter], int | None]:
        """Return a page of dead letters and the next position; see `DeadLetters.page`."""
        return await self.dead_letters.page(position, limit)

    async def retry(self, actor: Actor, delivery_id: str) -> None:
        """Put a dead letter back into the queue.

        Raises:
            NotFound: there is none with that id.
            DeadLetterExpired: it has expired.
        """
        record = partial(self.audit.append, _event("delivery.retried", actor, delivery_id))
        outcome = await self.dead_letters.retry(delivery_id, before=record)
        if outcome == "unknown":
            raise NotFound
        if outcome == "ended":
            raise DeadLetterExpired

    async def delete(self, actor: Actor, delivery_id: str) -> None:
        """Delete a dead letter, expired or not.

        Raises:
            NotFound: there is none with that id.
        """
        record = partial(self.audit.append, _event("delivery.deleted", actor, delivery_id))
        if not await self.dead_letters.delete(delivery_id, before=record):
            raise NotFound


def _event(name: EventName, actor: Actor, delivery_id: str) -> Event:
    return Event(name, actor.origin, actor_id=actor.id, details={"delivery": delivery_id})
