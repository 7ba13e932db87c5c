"""What a creative is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from media_service.image.model import EXTENSIONS, ORIGINAL, VARIANT_TYPE
from media_service.storage.model import ObjectKey
from shared.paging import Position

MAX_TITLE = 200


class Status(StrEnum):
    """Where a creative is on its way."""

    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Creative:
    """A row of `creatives`.

    Times are aware and in UTC; `size` is the original's, in bytes; `file_name` is cleaned.
    """

    id: UUID
    user_id: UUID
    title: str | None
    file_name: str
    content_type: str
    size: int
    width: int
    height: int
    sha256: bytes
    placeholder: str | None
    due_at: datetime
    timezone: str
    status: Status
    variants: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    version: int

    def key(self, variant: str) -> ObjectKey:
        """Return where the store keeps one variant."""
        return ObjectKey(self.user_id, self.id, variant)

    def files(self) -> list[ObjectKey]:
        """Return where the store keeps every variant."""
        return [self.key(variant) for variant in self.variants]

    def place(self) -> Position[UUID]:
        """Return where it is in lists, which are by due time."""
        return Position(self.due_at, self.id)


class Shown(Protocol):
    """What a picture's row says of its original: a creative's, or a product's photo's."""

    @property
    def sha256(self) -> bytes:
        """Return the digest of the stored bytes."""
        ...

    @property
    def content_type(self) -> str:
        """Return the media type."""
        ...

    @property
    def file_name(self) -> str:
        """Return the cleaned name."""
        ...


@dataclass(frozen=True, slots=True)
class Served:
    """One variant as it is sent: its validator, type and shown name.

    A variant is made once, from the original and together with it; so the original's digest and
    its own name tell it from any other bytes that its address has ever had.
    """

    etag: str
    content_type: str
    file_name: str

    @classmethod
    def of(cls, picture: Shown, variant: str) -> "Served":
        """Return what is sent of that variant."""
        digest = picture.sha256.hex()
        if variant == ORIGINAL:
            return cls(f'"{digest}"', picture.content_type, picture.file_name)
        name = f"{picture.file_name.rpartition('.')[0]}-{variant}.{EXTENSIONS[VARIANT_TYPE]}"
        return cls(f'"{digest}-{variant}"', VARIANT_TYPE, name)


@dataclass(frozen=True, slots=True)
class Picture:
    """What has files in the store: a creative, a product's photo, or one whose row is gone."""

    id: UUID
    user_id: UUID
    variants: tuple[str, ...]

    def files(self) -> list[ObjectKey]:
        """Return where the store keeps every variant."""
        return [ObjectKey(self.user_id, self.id, variant) for variant in self.variants]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of a user's creatives a list shows: due after `start`, before `until`."""

    start: Position[UUID]
    until: datetime
    status: Status | None
    limit: int
