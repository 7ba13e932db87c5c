"""Errors of the quota."""

from shared.errors import DomainError


class QuotaExceeded(DomainError):
    """The user's files would exceed the quota."""

    code, status, title = "quota_exceeded", 413, "Your room for files is used up"
