"""Filling a Redis that has forgotten what is revoked."""

from collections.abc import Sequence

from auth_service.revocation.backlog import Backlog, Entries, EpochGone, entries_of
from auth_service.revocation.model import StoredRevocation
from shared.redis import BatchedRedis, Script, lua
from shared.revocation.message import DELETED, HEAD, LOG

SEED = Script.of(lua("auth_service.revocation", "seed.lua"))
BEGIN_EPOCH = Script.of(lua("auth_service.revocation", "begin_epoch.lua"))


class Seeding:
    """Appends what an epoch begins with.

    Each script looks first whether what the one before it wrote is still there: else Redis was
    wiped or failed over meanwhile, and everything has to be appended from the beginning.
    """

    def __init__(self, backlog: Backlog, redis: BatchedRedis, epoch: str) -> None:
        """Append nothing yet."""
        self._backlog = backlog
        self._redis = redis
        self._epoch = epoch
        self._newest = (LOG, "")

    async def append(self, rows: Sequence[StoredRevocation]) -> Entries:
        """Append rows; the longest dead go to the deleted users alone.

        Raises:
            EpochGone: what was appended before is lost.
        """
        told = [row for row in rows if self._backlog.told_still(row)]
        deleted = [row for row in rows if row.of_deleted_user]
        return await self._append_to(LOG, told) | await self._append_to(DELETED, deleted)

    async def _append_to(self, stream: str, rows: Sequence[StoredRevocation]) -> Entries:
        if not rows:
            return {}
        messages = self._backlog.messages(self._epoch, rows)
        before, newest = self._newest
        arguments = [newest, *(message.text for message in messages)]
        ids = await self._redis.run(SEED, [stream, before], arguments)
        if ids is None:
            raise EpochGone
        self._newest = (stream, ids[-1].decode())
        return entries_of(messages, ids)

    async def begin(self, found: str) -> bool:
        """Set the epoch, unless another one than `found` is in force or something is lost."""
        before, newest = self._newest
        arguments = [found, self._epoch, newest]
        return bool(await self._redis.run(BEGIN_EPOCH, [LOG, HEAD, before], arguments))
