"""What a creative is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from media_service.picture.model import DescribedPicture
from shared.paging import Position

MAX_TITLE = 200


class Status(StrEnum):
    """Where a creative is on its way."""

    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Creative(DescribedPicture):
    """A row of `creatives`. Times are aware and in UTC."""

    title: str | None
    placeholder: str | None
    due_at: datetime
    timezone: str
    status: Status
    updated_at: datetime
    version: int

    def cursor(self) -> str:
        """Return the place in lists, which are by due time."""
        return Position(self.due_at, self.id).cursor()


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of a user's creatives a list shows: due after `start`, before `until`."""

    start: Position[UUID]
    until: datetime
    status: Status | None
    limit: int
