"""Writes events in the transactions that cause them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from media_service.event.model import EventType
from shared.clock import Clock, rfc3339
from shared.db import Connection
from shared.entropy import Entropy, new_id
from shared.webhooks.event import repository
from shared.webhooks.event.model import Event


@dataclass(frozen=True, slots=True)
class EventRecorder:
    """Writes an event where its cause is written, so that both happen or neither."""

    clock: Clock
    entropy: Entropy

    async def record(
        self,
        connection: Connection,
        user_id: UUID,
        event_type: EventType,
        data: Mapping[str, object],
    ) -> None:
        """Write an event that happens now, in the caller's transaction."""
        text = json.dumps(dict(data), default=_to_text, ensure_ascii=False)
        event_id = new_id(self.clock, self.entropy)
        event = Event(event_id, user_id, event_type, self.clock.now(), text)
        await repository.insert(connection, event)


def _to_text(value: object) -> str:
    """Return a time or an id as responses have it."""
    return rfc3339(value) if isinstance(value, datetime) else str(value)
