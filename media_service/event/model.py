"""Events: what happened to creatives and products."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

EventType = Literal[
    "creative.created",
    "creative.updated",
    "creative.cancelled",
    "creative.due",
    "creative.failed",
    "product.created",
    "product.updated",
    "product.deleted",
]


@dataclass(frozen=True, slots=True)
class Event:
    """A new row of `events`; `data` is the JSON of the creative or product as it was then."""

    id: UUID
    user_id: UUID
    type: EventType
    occurred_at: datetime
    data: str
