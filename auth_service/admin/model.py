"""Who administers, and what is looked for."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from auth_service.audit.model import Origin

Role = Literal["admin", "editor"]
LAST = "\U0010ffff"
"""Sorts behind every character that a text has."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something. `id` is None for whoever has the command line."""

    origin: Origin
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """Texts that begin with `prefix`, in lower case, or a number that begins with `number`."""

    prefix: str
    number: str

    def bounds(self) -> tuple[str, str, str, str]:
        """Return between which texts and which numbers what is looked for lies."""
        return self.prefix, self.prefix + LAST, self.number, self.number + LAST
