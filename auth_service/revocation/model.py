"""A revocation as it is stored, and how long a deleted user's is kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.revocation.message import USER_DELETED, Revocation

DELETED_LIFE = timedelta(days=30)
"""How long the deletion of a user is published; the row expires this long after it."""


@dataclass(frozen=True, slots=True)
class NewRevocation:
    """A revocation to store. `expires_at`: when the last token that it revokes has expired."""

    reason: str
    event_json: str
    created_at: datetime
    expires_at: datetime


class StoredRevocation(NamedTuple):
    """A row. `entry`: the id of the stream entry that holds it, None before it was published."""

    id: int
    revocation: Revocation
    created_at: datetime
    entry: str | None

    @property
    def of_deleted_user(self) -> bool:
        """Return whether the user was deleted; services then remove everything the user owned."""
        return self.revocation.reason == USER_DELETED
