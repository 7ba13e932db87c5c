"""Following auth_service's stream of deleted users, however long we were away."""

from collections.abc import Mapping, Sequence
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
log = structlog.get_logger()
Entries = Sequence[tuple[bytes, Mapping[bytes, bytes]]]


class UserEraser:
    """Removes what deleted users had. Any number of replicas may: what is gone is gone.

    The place is kept in the database, after everything up to it is done. An entry that no key
    verifies keeps it from moving on, but not what follows from being done; that much we remember.
    """

    def __init__(
        self,
        redis: Redis,
        keys: Sequence[bytes],
        database: Database,
        file_deleter: FileDeleter,
        clock: Clock,
    ) -> None:
        """Follow with `redis`; messages count when any of `keys` signed them."""
        self._redis = redis
        self._keys = keys
        self._database = database
        self._remover = file_deleter
        self._clock = clock
        self._done: set[bytes] = set()

    async def run_once(self) -> None:
        """Do what the stream tells and nobody has done yet."""
        place = await repository.find_cursor(self._database, DELETED_USERS_STREAM)
        entries = await self._read(place or "-")
        if place is not None and (not entries or entries[0][0] != place.encode()):
            # Redis was wiped, or has let go of the entry: what it tells now is read from its start.
            entries = await self._read("-")
        understood, beyond = True, set[bytes]()
        while entries:
            for entry, fields in entries:
                if entry.decode() == place:
                    continue  # done, though its key may have been dropped since
                taken = await self._take(entry, fields.get(b"m", b""))
                understood = understood and taken
                if understood:
                    place = entry.decode()
                    await repository.save_cursor(self._database, DELETED_USERS_STREAM, place)
                elif taken:
                    beyond.add(entry)
            entries = await self._read(f"({entries[-1][0].decode()}")
        self._done = beyond

    async def _read(self, first: str) -> Entries:
        page: Any = await self._redis.xrange(DELETED_USERS_STREAM, first, "+", PAGE)
        return list(page)

    async def _take(self, entry: bytes, message: bytes) -> bool:
        """Do what one entry tells; False when nobody can know what that is."""
        if entry in self._done:
            return True
        try:
            told = decode(message, self._keys)
        except UnverifiedMessageError:
            log.error("erasure.unverified_entry_blocks", entry=entry.decode())
            return False
        for revocation in told:
            await self._erase(revocation)
        return True

    async def _erase(self, revocation: Revocation) -> None:
        if revocation.kind != "user" or revocation.reason != USER_DELETED:
            return
        user_id, removed = UUID(revocation.id), 0
        async with self._database.connection() as connection:
            await mark_user_deleted(connection, user_id, self._clock.now())
        while count := await self._delete_batch(user_id):
            removed += count
            self._remover.notify()
        log.info("owner.erased", user_id=str(user_id), rows=removed)

    async def _delete_batch(self, user_id: UUID) -> int:
        async with self._database.connection() as connection:
            return await repository.delete_batch(connection, user_id, BATCH)
