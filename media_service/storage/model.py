"""The interface of a store. A use case knows nothing else of where files are."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol
from uuid import UUID

CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """The name of a stored object, made of our own ids; a client's file name is never in it."""

    user_id: UUID
    picture_id: UUID
    variant: str

    @classmethod
    def parse(cls, text: str) -> "ObjectKey | None":
        """Return the key that is written so, None for what is none of ours."""
        try:
            user, picture, variant = text.split("/")
            key = cls(UUID(user), UUID(picture), variant)
        except ValueError:
            return None
        return key if str(key) == text else None

    def __str__(self) -> str:
        """Return `{user}/{picture}/{variant}`."""
        return f"{self.user_id}/{self.picture_id}/{self.variant}"


class StagedFile(Protocol):
    """A file on its way in; nobody sees it until the store keeps it."""

    @property
    def path(self) -> Path:
        """Return where the bytes are on this machine; what is written beside it goes with it."""
        ...

    async def write(self, *pieces: bytes | memoryview) -> None:
        """Append all of the pieces. Raises: StorageFull."""
        ...

    async def digest(self) -> bytes:
        """Return the SHA-256 of what was written, by reading it again."""
        ...


class StoredFile(Protocol):
    """An object opened for reading."""

    @property
    def size(self) -> int:
        """Return its length in bytes."""
        ...

    def read(self, start: int, length: int) -> AsyncIterator[bytes]:
        """Yield `length` bytes from `start` on, at most `CHUNK_BYTES` at a time."""
        ...


class Storage(Protocol):
    """Objects by key: written once, whole or not at all, read by range, deleted."""

    def stage(self) -> AbstractAsyncContextManager[StagedFile]:
        """Open a new staged file; whatever was not kept is gone when the context ends."""
        ...

    async def keep(self, files: Mapping[ObjectKey, Path]) -> None:
        """Make these staged and synced files visible under their keys, durably, each in one step.

        All of them, or none. Raises: StorageFull, ServiceUnavailable.
        """
        ...

    def open(self, key: ObjectKey) -> AbstractAsyncContextManager[StoredFile]:
        """Open an object for reading. Raises: ObjectMissing."""
        ...

    async def exists(self, key: ObjectKey) -> bool:
        """Return whether something is stored under `key`."""
        ...

    async def delete(self, key: ObjectKey) -> bool:
        """Remove the object; return whether there was one."""
        ...

    def list_older(self, than: timedelta) -> AsyncIterator[list[ObjectKey]]:
        """Yield, some at a time, the keys whose object nobody has touched for that long."""
        ...

    async def reachable(self) -> bool:
        """Tell whether the store can be used now."""
        ...

    async def discard_staged(self, older_than: timedelta) -> int:
        """Remove staged files that nobody has touched for that long; return how many."""
        ...
