"""A revocation as it is stored, and for how long it matters."""

from datetime import datetime, timedelta
from typing import NamedTuple

from shared.revocation.message import USER_DELETED, Revocation

DELETED_LIFE = timedelta(days=30)
"""How long a deleted user is told of; `expires_at` of such a row is that much later."""


class StoredRevocation(NamedTuple):
    """A row. `entry`: the backlog's entry that tells it, None before it was published."""

    id: int
    revocation: Revocation
    created_at: datetime
    entry: str | None

    @property
    def of_deleted_user(self) -> bool:
        """Whether the user and everything of theirs is gone."""
        return self.revocation.reason == USER_DELETED
