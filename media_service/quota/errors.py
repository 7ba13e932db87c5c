"""Errors of the quota."""

from shared.errors import DomainError
from shared.sizes import show_size


class QuotaExceeded(DomainError):
    """The user's files would exceed the quota."""

    code, status, title = "quota_exceeded", 413, "Your room for files is used up"

    def __init__(self, quota: int, stored: int, added: int) -> None:
        super().__init__(
            f"you may store {show_size(quota)} and have stored {show_size(stored, round_up=True)}: "
            f"{show_size(added, round_up=True)} more do not fit"
        )
