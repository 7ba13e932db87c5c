"""What has files in the store, and how one of them is sent."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from media_service.image.model import EXTENSIONS, ORIGINAL, VARIANT_TYPE
from media_service.storage.model import ObjectKey


@dataclass(frozen=True, slots=True)
class Picture:
    """What has files in the store: a creative, a product's photo, or one whose row is gone."""

    id: UUID
    user_id: UUID
    variants: tuple[str, ...]

    def key(self, variant: str) -> ObjectKey:
        """Return where the store keeps one variant."""
        return ObjectKey(self.user_id, self.id, variant)

    def files(self) -> list[ObjectKey]:
        """Return where the store keeps every variant."""
        return [self.key(variant) for variant in self.variants]


@dataclass(frozen=True, slots=True)
class PictureRecord(Picture):
    """A picture with what its row says of the original, whose `size` is in bytes.

    `file_name` is cleaned; `created_at` is aware and in UTC.
    """

    file_name: str
    content_type: str
    size: int
    width: int
    height: int
    sha256: bytes
    created_at: datetime

    def representation(self, variant: str) -> "Representation":
        """Return what is sent of that variant."""
        digest = self.sha256.hex()
        if variant == ORIGINAL:
            return Representation(f'"{digest}"', self.content_type, self.file_name)
        name = f"{self.file_name.rpartition('.')[0]}-{variant}.{EXTENSIONS[VARIANT_TYPE]}"
        return Representation(f'"{digest}-{variant}"', VARIANT_TYPE, name)


@dataclass(frozen=True, slots=True)
class Representation:
    """One variant as it is sent: its validator, type and shown name.

    A variant is made once, from the original and together with it; so the original's digest and
    its own name tell it from any other bytes that its address has ever had.
    """

    etag: str
    content_type: str
    file_name: str
