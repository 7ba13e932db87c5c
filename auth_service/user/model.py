"""The user."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Status = Literal["pending", "active", "disabled"]


@dataclass(frozen=True, slots=True)
class User:
    """A person who can sign in.

    `phone_number` is E.164. `generation` counts the times at which all of the user's tokens were
    cut off. `version` changes with the profile.
    """

    id: UUID
    username: str | None
    name: str
    first_name: str | None
    last_name: str | None
    email: str | None
    email_verified: bool
    phone_number: str | None
    phone_verified: bool
    roles: tuple[str, ...]
    status: Status
    generation: int
    last_login_at: datetime | None
    created_at: datetime
    version: int

    @property
    def active(self) -> bool:
        """Whether the user may be signed in."""
        return self.status == "active"
