"""Webhooks' messages about events of accounts."""

import json
from datetime import datetime

from shared.webhooks.delivery.model import ClaimedEvent
from shared.webhooks.model import encode_body


class EventMessages:
    """Encodes events as they were stored."""

    def encode(self, event: ClaimedEvent, now: datetime) -> str:
        """Return the body of an event's messages."""
        del now
        return encode_body(event.type, event.occurred_at, json.loads(event.data)).decode()
