"""The events that webhooks deliver."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Event:
    """A new row of `events`; `data` is the JSON of its subject as it was then."""

    id: UUID
    user_id: UUID
    type: str
    occurred_at: datetime
    data: str
