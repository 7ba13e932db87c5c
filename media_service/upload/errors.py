"""Errors of an upload."""

from media_service.image.errors import BrokenImage, ImageLimitExceeded, UnsupportedImage
from media_service.quota.errors import QuotaExceeded
from media_service.storage.errors import StorageFull
from shared.errors import DomainError, RateLimited


class UploadTooSlow(DomainError):
    """The connection delivers less than the minimum rate while we are reading."""

    code, status, title = "upload_too_slow", 408, "The upload arrives too slowly"


UPLOAD_ERRORS = (
    QuotaExceeded,
    RateLimited,
    UnsupportedImage,
    BrokenImage,
    ImageLimitExceeded,
    UploadTooSlow,
    StorageFull,
)
"""The reasons to refuse a picture, the same for creatives and products."""
