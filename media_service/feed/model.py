"""A feed, and what it shows of creatives."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from media_service.creative.model import Status


@dataclass(frozen=True, slots=True)
class Feed:
    """When a user's feed got its address, and when it was last read; to the minute."""

    created_at: datetime
    last_read_at: datetime | None


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """What a calendar shows of a creative. `due_day`: the day that its user gave, if any."""

    id: UUID
    title: str
    due_at: datetime
    due_day: date | None
    timezone: str
    status: Status
    created_at: datetime
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class FeedContent:
    """What a feed shows now. `etag` changes with it."""

    user_id: UUID
    events: list[FeedEvent]
    etag: str
