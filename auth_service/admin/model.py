"""Roles, the actor of a change, and the search for users."""

from dataclasses import dataclass
from uuid import UUID

from auth_service.audit.model import Origin

LAST = "\U0010ffff"
"""Sorts after every other character."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who makes a change. `id` is None for the command line."""

    origin: Origin
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class UserPrefixSearch:
    """A search for texts that begin with `prefix`, in lower case, or numbers with `number`."""

    prefix: str
    number: str

    def bounds(self) -> tuple[str, str, str, str]:
        """Return the bounds of the texts and of the numbers to find."""
        return self.prefix, self.prefix + LAST, self.number, self.number + LAST
