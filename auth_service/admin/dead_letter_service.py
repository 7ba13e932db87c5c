"""Dead letters as operators change them: each change is audited first."""

from functools import partial

from auth_service.admin.errors import NoLongerTrue
from auth_service.admin.model import Actor
from auth_service.audit.model import Event, EventName
from auth_service.audit.service import AuditLog
from auth_service.delivery.dead_letters import DeadLetter, DeadLetters
from shared.errors import NotFound


class DeadLetterAdministration:
    """Lists, retries and deletes dead letters. The audit event is stored before the change."""

    def __init__(self, dead_letters: DeadLetters, audit: AuditLog) -> None:
        """Change `dead_letters`."""
        self._dead_letters = dead_letters
        self._audit = audit

    async def page(self, position: int | None, limit: int) -> tuple[list[DeadLetter], int | None]:
        """Return a page of dead letters and the next position; see `DeadLetters.page`."""
        return await self._dead_letters.page(position, limit)

    async def retry(self, actor: Actor, delivery_id: str) -> None:
        """Put a dead letter back into the queue.

        Raises:
            NotFound: there is none with that id.
            NoLongerTrue: it has expired.
        """
        record = partial(self._audit.append, _event("delivery.retried", actor, delivery_id))
        outcome = await self._dead_letters.retry(delivery_id, before=record)
        if outcome == "unknown":
            raise NotFound
        if outcome == "ended":
            raise NoLongerTrue

    async def delete(self, actor: Actor, delivery_id: str) -> None:
        """Delete a dead letter, expired or not.

        Raises:
            NotFound: there is none with that id.
        """
        record = partial(self._audit.append, _event("delivery.deleted", actor, delivery_id))
        if not await self._dead_letters.delete(delivery_id, before=record):
            raise NotFound


def _event(name: EventName, actor: Actor, delivery_id: str) -> Event:
    return Event(name, actor.origin, actor_id=actor.id, details={"delivery": delivery_id})
