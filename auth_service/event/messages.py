"""Webhooks' messages about events."""

import json
from dataclasses import dataclass
from datetime import datetime

from shared.webhooks.delivery.model import ClaimedEvent
from shared.webhooks.model import encode_body


@dataclass(frozen=True, slots=True)
class EventMessages:
    """Encodes events for receivers, who get the data as it was stored."""

    def encode(self, event: ClaimedEvent, now: datetime) -> str:
        """Return the body of an event's messages, whatever the time is."""
        del now
        return encode_body(event.type, event.occurred_at, json.loads(event.data)).decode()
