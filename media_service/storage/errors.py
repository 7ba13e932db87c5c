"""Errors of the store."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import DomainError, ServiceUnavailable

RETRY_AFTER = 5
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StorageFull(DomainError):
    """There is no room for the file; nothing of it was kept."""

    code, status, title = "storage_full", 507, "There is no room left for files"


class ObjectMissing(Exception):
    """There is no object with this key; the use case decides what that means."""


@contextmanager
def translate_os_errors() -> Iterator[None]:
    """Translate the operating system's errors for files: full, or unavailable.

    Raises:
        StorageFull: the disk or the quota is full.
        ServiceUnavailable: the file cannot be used, for example because its folder is read-only.
    """
    try:
        yield
    except OSError as failed:
        if failed.errno in _FULL:
            raise StorageFull from failed
        raise ServiceUnavailable(RETRY_AFTER, "The file store cannot be used") from failed
