"""Refusals that concern a user's share."""

from shared.errors import DomainError


class QuotaExceeded(DomainError):
    """The user's files would take more room than they may."""

    code, status, title = "quota_exceeded", 413, "Your room for files is used up"
