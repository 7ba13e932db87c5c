"""Errors of the store."""

from shared.errors import DomainError


class StorageFull(DomainError):
    """There is no room for the file; nothing of it was kept."""

    code, status, title = "storage_full", 507, "There is no room left for files"


class ObjectMissing(Exception):
    """There is no object with this key; the use case decides what that means."""
