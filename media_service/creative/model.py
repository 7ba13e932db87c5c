"""What a creative is."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from media_service.picture.model import PictureRecord
from shared.paging import Position

MAX_TITLE = 200

Owner = Literal["me", "all"]
"""Whose creatives: an editor may ask for everybody's."""


class Status(StrEnum):
    """Where a creative is on its way."""

    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Creative(PictureRecord):
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
class CreativeUpdate:
    """What is to become of a creative; None leaves a field as it is, and "" takes the title away.

    A day is meant in `timezone`, or else in the creative's own.
    """

    when: date | datetime | None = None
    timezone: str | None = None
    title: str | None = None
    cancels: bool = False


@dataclass(frozen=True, slots=True)
class CreativeFilter:
    """Which of a user's creatives a list shows: due after `start`, before `until`."""

    start: Position[UUID]
    until: datetime
    status: Status | None
    limit: int
