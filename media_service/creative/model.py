"""Creatives: pictures that fall due at an instant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from media_service.creative.schedule_time import RequestedTime
from media_service.picture.model import PictureRecord
from shared.paging import Position

MAX_TITLE = 200

Owner = Literal["me", "all"]
"""The caller, or all users, whose creatives an editor may list."""


class Status(StrEnum):
    """The states of a creative."""

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
    published_at: datetime | None

    def cursor(self) -> str:
        """Return the place in lists, which are by due time."""
        return Position(self.due_at, self.id).cursor()


@dataclass(frozen=True, slots=True)
class CreativeDraft:
    """A creative as its form describes it.

    `file_name` is the client's. `fields` are compared when the request is sent again.
    """

    file_name: str
    title: str | None
    when: RequestedTime
    timezone: str
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CreativeUpdate:
    """The changes to a creative; None leaves a field as it is, and "" removes the title.

    A day or a local time is meant in `timezone`, or else in the creative's own.
    """

    when: RequestedTime | None = None
    timezone: str | None = None
    title: str | None = None
    cancels: bool = False


@dataclass(frozen=True, slots=True)
class CreativeFilter:
    """Which of a user's creatives a list shows: due after `start`, before `until`."""

    after: Position[UUID]
    until: datetime
    status: Status | None
    limit: int
