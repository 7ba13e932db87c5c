"""An upload of which only the headers were read."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from media_service.storage.model import TempFile

FRAMING_BYTES = 32 * 1024
"""More than a form needs around its file, so everything above it is bytes of the file."""


Draft = TypeVar("Draft")


@dataclass(frozen=True, slots=True)
class PendingUpload(Generic[Draft]):
    """The user, the headers, and how to read the body.

    `read` reads the form: it writes the file to the temporary file and returns the fields. `length`
    is Content-Length, `key` the Idempotency-Key.
    """

    read: Callable[[TempFile], Awaitable[Draft]]
    length: int | None
    user_id: UUID
    token: str
    key: str | None

    @property
    def min_stored_bytes(self) -> int:
        """Return the least size of the file, by Content-Length."""
        return max(0, (self.length or 0) - FRAMING_BYTES)
