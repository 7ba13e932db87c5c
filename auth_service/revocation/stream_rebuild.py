"""Fills a Redis that has lost the revocations, and starts a new epoch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from auth_service.revocation import repository
from auth_service.revocation.model import StoredRevocation
from auth_service.revocation.stream import EntryIds, EpochMismatch, RevocationStream, entry_ids_of
from shared.db import Connection
from shared.redis import BatchedRedis, Script, read_lua
from shared.revocation.message import DELETED_USERS_STREAM, REVOCATION_HEAD, REVOCATION_STREAM

PAGE_SIZE = 2000
APPEND = Script.from_sources(read_lua("auth_service.revocation", "append.lua"))
START_EPOCH = Script.from_sources(read_lua("auth_service.revocation", "start_epoch.lua"))


@dataclass(slots=True)
class StreamRebuild:
    """Appends the live rows in many scripts, then starts the epoch in one.

    Each script first checks that the previous script's last entry is still there. If it is not,
    Redis was wiped or failed over meanwhile, and the rebuild has to start again.
    """

    stream: RevocationStream
    redis: BatchedRedis
    epoch: str
    last_entry: tuple[str, str] = (REVOCATION_STREAM, "")
    count: int = 0

    async def append_live(
        self, connection: Connection, since: datetime, compared: set[int]
    ) -> EntryIds:
        """Append each row that expires after `since`.

        Returns the entries of the rows that were unpublished or are `compared`.
        """
        to_mark: EntryIds = {}
        async for page in repository.live_pages(connection, since, PAGE_SIZE):
            entry_ids = await self.append(page)
            marked = {row.id for row in page if row.entry is None or row.id in compared}
            to_mark |= {row: entry for row, entry in entry_ids.items() if row in marked}
            self.count += len(page)
        return to_mark

    async def append(self, rows: Sequence[StoredRevocation]) -> EntryIds:
        """Append rows; users deleted long ago only to the deleted users' stream.

        Raises:
            EpochMismatch: an entry that was appended before is lost.
        """
        affecting_tokens = [row for row in rows if self.stream.affects_tokens(row)]
        deleted = [row for row in rows if row.of_deleted_user]
        entry_ids = await self._append_to(REVOCATION_STREAM, affecting_tokens)
        return entry_ids | await self._append_to(DELETED_USERS_STREAM, deleted)

    async def _append_to(self, key: str, rows: Sequence[StoredRevocation]) -> EntryIds:
        if not rows:
            return {}
        messages = self.stream.sign(self.epoch, rows)
        last_key, last_id = self.last_entry
        arguments = [last_id, *(message.text for message in messages)]
        ids = await self.redis.run(APPEND, [key, last_key], arguments)
        if ids is None:
            raise EpochMismatch
        self.last_entry = (key, ids[-1].decode())
        return entry_ids_of(messages, ids)

    async def start_epoch(self, previous_epoch: str) -> bool:
        """Start the epoch; False if `previous_epoch` has been replaced or an entry is lost."""
        last_key, last_id = self.last_entry
        keys = [REVOCATION_STREAM, REVOCATION_HEAD, last_key]
        return bool(await self.redis.run(START_EPOCH, keys, [previous_epoch, self.epoch, last_id]))
