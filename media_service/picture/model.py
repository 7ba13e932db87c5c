"""A picture with files in the store, and the representations of it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from uuid import UUID

from media_service.image.model import EXTENSIONS, ORIGINAL, VARIANT_TYPE
from media_service.storage.model import ObjectKey


@dataclass(frozen=True, slots=True)
class Picture:
    """The owner of files in the store: a creative, a product's photo, or a deleted one of them."""

    id: UUID
    user_id: UUID
    variants: tuple[str, ...]

    def object_key(self, variant: str) -> ObjectKey:
        """Return the key of one variant in the store."""
        return ObjectKey(self.user_id, self.id, variant)

    def object_keys(self) -> list[ObjectKey]:
        """Return the keys of all variants in the store."""
        return [self.object_key(variant) for variant in self.variants]


@dataclass(frozen=True, slots=True)
class PictureRecord(Picture):
    """A picture with its row's description of the original; `size` is in bytes.

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
        """Return how that variant is served."""
        digest, made_at = self.sha256.hex(), self.created_at.replace(microsecond=0)
        if variant == ORIGINAL:
            return Representation(f'"{digest}"', self.content_type, self.file_name, made_at)
        name = f"{self.file_name.rpartition('.')[0]}-{variant}.{EXTENSIONS[VARIANT_TYPE]}"
        return Representation(f'"{digest}-{variant}"', VARIANT_TYPE, name, made_at)


@dataclass(frozen=True, slots=True)
class Representation:
    """One variant as it is served: ETag, content type, displayed name and whole second of creation.

    A variant is made once, together with the original. So the original's digest and the variant's
    name identify its bytes.
    """

    etag: str
    content_type: str
    download_name: str
    made_at: datetime

    @property
    def last_modified(self) -> str:
        """Return the time of creation as an HTTP date (RFC 9110 §5.6.7)."""
        return format_datetime(self.made_at.astimezone(UTC), usegmt=True)
