"""Follows auth_service's stream of deleted users, however long the service was away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from redis.asyncio import Redis

from media_service.erasure import repository
from media_service.picture.file_deleter import FileDeleter
from media_service.quota.repository import mark_user_deleted
from shared.clock import Clock
from shared.db import Database
from shared.revocation.message import (
    DELETED_USERS_STREAM,
    USER_DELETED,
    Revocation,
    UnverifiedMessageError,
    decode,
)

POLL_SECONDS = 2
PAGE = 100
BATCH = 500
LATELY = timedelta(days=30)
"""Longer than an upgrade takes."""
log = structlog.get_logger()
Entries = Sequence[tuple[bytes, Mapping[bytes, bytes]]]


@dataclass(slots=True, kw_only=True)
class DeletedUsersConsumer:
    """Deletes everything of deleted users. Any number of replicas may do so at once.

    A message counts when any of `keys` signed it.

    The cursor is in the database, and moves after all entries up to it are processed. An entry that
    no key verifies stops the cursor, not the processing of later entries, which are remembered.
    """

    redis: Redis
    keys: Sequence[bytes]
    database: Database
    file_deleter: FileDeleter
    clock: Clock
    _processed: set[bytes] = field(default_factory=set, init=False)

    async def run_once(self) -> None:
        """Process the entries after the cursor."""
        cursor = await repository.find_cursor(self.database, DELETED_USERS_STREAM)
        entries = await self._read(cursor or "-")
        if cursor is not None and (not entries or entries[0][0] != cursor.encode()):
            # Redis was wiped, or has trimmed the entry: the stream is read from its start.
            entries = await self._read("-")
        verified, later = True, set[bytes]()
        while entries:
            for entry, fields in entries:
                if entry.decode() == cursor:
                    continue  # processed, even if its key was dropped since
                processed = await self._process(entry, fields.get(b"m", b""))
                verified = verified and processed
                if verified:
                    cursor = entry.decode()
                    await repository.save_cursor(self.database, DELETED_USERS_STREAM, cursor)
                elif processed:
                    later.add(entry)
            entries = await self._read(f"({entries[-1][0].decode()}")
        self._processed = later

    async def _read(self, first: str) -> Entries:
        page: Any = await self.redis.xrange(DELETED_USERS_STREAM, first, "+", PAGE)
        return list(page)

    async def _process(self, entry: bytes, message: bytes) -> bool:
        """Process one entry; return False when no key verifies it."""
        if entry in self._processed:
            return True
        try:
            revocations = decode(message, self.keys).revocations
        except UnverifiedMessageError:
            log.error("erasure.unverified_entry_blocks", entry=entry.decode())
            return False
        for revocation in revocations:
            await self._erase(revocation)
        return True

    async def erase_leftovers(self) -> None:
        """Erase again users that were deleted lately and still have rows.

        During an upgrade a replica of the release before may have deleted them. It left the rows
        of the tables that it does not know, and moved the cursor.
        """
        for user_id in await repository.find_leftovers(self.database, self.clock.now() - LATELY):
            await self._erase_user(user_id)

    async def _erase(self, revocation: Revocation) -> None:
        if revocation.kind != "user" or revocation.reason != USER_DELETED:
            return
        user_id = UUID(revocation.id)
        await mark_user_deleted(self.database, user_id, self.clock.now())
        await self._erase_user(user_id)

    async def _erase_user(self, user_id: UUID) -> None:
        removed = 0
        while count := await repository.delete_batch(self.database, user_id, BATCH):
            removed += count
            self.file_deleter.notify()
        log.info("owner.erased", user_id=str(user_id), rows=removed)
