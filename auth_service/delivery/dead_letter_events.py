"""The event of a message that is given up, for operators' webhooks."""

import json
from dataclasses import dataclass
from uuid import UUID, uuid5

from auth_service.delivery.model import Delivery, SealedDelivery
from auth_service.event.model import OPERATORS, EventType
from auth_service.event.repository import insert_once
from auth_service.keyring import Keyring, SealBrokenError
from auth_service.settings import AuthSettings
from shared.clock import Clock
from shared.db import Database
from shared.logs import mask
from shared.webhooks.event.model import Event

DEAD: EventType = "message.dead"
_EVENT_IDS = UUID("0d3f7a52-6f0e-4b0c-9d57-6f2c1f0a4a11")


@dataclass(frozen=True, slots=True)
class DeadLetterEvents:
    """Stores the event of each dead letter."""

    database: Database
    keyring: Keyring
    settings: AuthSettings
    clock: Clock

    async def record(self, entry: SealedDelivery) -> None:
        """Store the event of an entry; repeating it does nothing, since its id follows from it.

        An entry that is requeued gets another stream id, and may die again.

        Raises:
            ServiceUnavailable: the database is away.
        """
        event_id = uuid5(_EVENT_IDS, f"{entry.stream_id} {entry.delivery_id}")
        data = json.dumps({"id": entry.delivery_id, **self._describe(entry)})
        event = Event(event_id, OPERATORS, DEAD, self.clock.now(), data)
        await insert_once(self.database, event)

    def _describe(self, entry: SealedDelivery) -> dict[str, str | None]:
        """Return channel, kind and address; nulls when no key opens the entry."""
        try:
            delivery = Delivery.unseal(entry.sealed, self.keyring)
        except SealBrokenError:
            return {"channel": None, "kind": None, "to": None}
        is_full = self.settings.webhook_contacts == "full"
        to = delivery.to if is_full else mask(delivery.to)
        return {"channel": delivery.channel, "kind": delivery.template, "to": to}
