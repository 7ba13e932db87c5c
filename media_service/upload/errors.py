"""Errors of an upload."""

from shared.errors import DomainError


class UploadTooSlow(DomainError):
    """The connection delivers less than the minimum rate while we are reading."""

    code, status, title = "upload_too_slow", 408, "The upload arrives too slowly"
