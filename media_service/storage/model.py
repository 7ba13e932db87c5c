"""The interface of a store, which is all that a use case knows of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol
from uuid import UUID

from media_service.storage.temp_file import TempDir

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
        return f"{self.user_id}/{self.picture_id}/{self.variant}"


class StoredFile(Protocol):
    """An object opened for reading."""

    @property
    def size(self) -> int:
        """Return its length in bytes."""

    def read(self, start: int, length: int) -> AsyncIterator[bytes]:
        """Yield `length` bytes from `start` on, at most `CHUNK_BYTES` at a time.

        Fewer bytes come only if the object is shorter.
        """


class Storage(Protocol):
    """Objects by key: written once, whole or not at all, read by range, deleted."""

    temp_dir: TempDir
    """Where files wait until they are stored."""
    last_error: str
    """Why the store was last found unusable, for operators."""

    async def put(self, files: Mapping[ObjectKey, Path]) -> None:
        """Store these synced files under their keys, durably, each atomically.

        All of them, or none. Raises: StorageFull, ServiceUnavailable.
        """

    def open(self, key: ObjectKey) -> AbstractAsyncContextManager[StoredFile]:
        """Open an object for reading. Raises: ObjectMissing."""

    async def exists(self, key: ObjectKey) -> bool:
        """Return whether something is stored under `key`."""

    async def delete(self, key: ObjectKey) -> bool:
        """Remove the object; return whether there was one."""

    def list_untouched(self, older_than: timedelta) -> AsyncIterator[list[ObjectKey]]:
        """Yield, some at a time, the keys of objects that were not touched for that long."""

    async def reachable(self) -> bool:
        """Return whether the store can be used now."""

    async def delete_stale_temp_files(self, older_than: timedelta) -> int:
        """Delete temporary files and partial uploads untouched for that long; return how many."""
