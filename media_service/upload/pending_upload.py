"""An upload as its header announces it, before anything of its body is read."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from media_service.storage.model import StagedFile

FRAMING_BYTES = 32 * 1024
"""More than a form needs around its file: what is announced beyond it will have to be stored."""


Draft = TypeVar("Draft")


@dataclass(frozen=True, slots=True)
class Arrival(Generic[Draft]):
    """Whose upload it is, how to read it, and what its client calls it.

    `read` takes the form in: its file goes to the staged file, its fields are returned. `length`
    is what Content-Length says; `key` the Idempotency-Key.
    """

    read: Callable[[StagedFile], Awaitable[Draft]]
    length: int | None
    user_id: UUID
    token: str
    key: str | None

    @property
    def stored_at_least(self) -> int:
        """Return how many bytes the file must have, by what Content-Length says."""
        return max(0, (self.length or 0) - FRAMING_BYTES)
