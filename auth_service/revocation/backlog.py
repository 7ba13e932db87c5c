"""The backlog in Redis as auth_service writes it: stream, head, channel, deleted users."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from auth_service.revocation.model import DELETED_LIFE, StoredRevocation
from shared.clock import Clock
from shared.errors import ServiceUnavailable
from shared.redis import BatchedRedis, Script, lua
from shared.revocation.message import CHANNEL, DELETED, HEAD, LOG, Revocation, encode_all
from shared.revocation.mirror import KEEP_AFTER_EXPIRY

PUBLISH = Script.of(lua("auth_service.revocation", "publish.lua"))
LOOK = Script.of(lua("auth_service.revocation", "look.lua"))
Entries = dict[int, str]
"""Rows by their number, with the id of the entry that tells each: in the log, or, of a deleted
user, in the stream of those."""


class EpochGone(ServiceUnavailable):
    """Redis has no epoch, or another one: it was wiped, or has never been filled."""


@dataclass(frozen=True, slots=True)
class Message:
    """A signed message without its id, and the numbers of the rows that it tells."""

    text: str
    rows: list[int]


@dataclass(frozen=True, slots=True)
class Found:
    """What the backlog holds. `whole`: there is an epoch, and the log has its head's entry."""

    epoch: str
    whole: bool
    lacking: frozenset[str]

    def lacks(self, row: StoredRevocation) -> bool:
        """Tell whether a row that was published is told by no entry, as far as is known."""
        return row.entry is None or row.entry in self.lacking


class Backlog:
    """Signs and publishes, and tells what is there; each call is one script."""

    def __init__(
        self,
        redis: BatchedRedis,
        keys: Sequence[bytes],
        *,
        clock: Clock,
        token_life: timedelta,
    ) -> None:
        """`keys`: the first one signs. `token_life`: the longest life of an access token."""
        self._redis = redis
        self._keys = keys
        self._clock = clock
        self._log_life = token_life + KEEP_AFTER_EXPIRY

    async def look(self, rows: Sequence[StoredRevocation] = ()) -> Found:
        """Return what the backlog holds, of these published rows in particular."""
        deleted = [row.entry for row in rows if row.of_deleted_user and row.entry]
        others = [row.entry for row in rows if not row.of_deleted_user and row.entry]
        arguments: list[str | int] = [len(deleted), *deleted, *others]
        epoch, whole, lacking = await self._redis.run(LOOK, [LOG, HEAD, DELETED], arguments)
        return Found(
            epoch=epoch.decode(),
            whole=bool(epoch and whole),
            lacking=frozenset(entry.decode() for entry in lacking),
        )

    async def publish(self, epoch: str, rows: Sequence[StoredRevocation]) -> Entries:
        """Append, move the head and tell whoever listens.

        Raises:
            EpochGone: `epoch` is not the one in force; nothing was done.
        """
        deleted = self.messages(epoch, [row for row in rows if row.of_deleted_user])
        messages = deleted + self.messages(epoch, [row for row in rows if not row.of_deleted_user])
        lives = [_milliseconds(self._log_life), _milliseconds(DELETED_LIFE)]
        texts = [message.text for message in messages]
        arguments: list[str | int] = [epoch, CHANNEL, *lives, len(deleted), *texts]
        ids = await self._redis.run(PUBLISH, [LOG, HEAD, DELETED], arguments)
        if ids is None:
            raise EpochGone
        return entries_of(messages, ids)

    def told_still(self, row: StoredRevocation) -> bool:
        """Tell whether a mirror has to know, now or after its clock has stepped back."""
        return self._told(row).expires_at > self._clock.now() - KEEP_AFTER_EXPIRY

    def _told(self, row: StoredRevocation) -> Revocation:
        """Return what a mirror has to know: a deleted user's tokens die long before the row."""
        if not row.of_deleted_user:
            return row.revocation
        dead = min(row.revocation.expires_at, row.created_at + self._log_life)
        return row.revocation._replace(expires_at=dead)

    def messages(self, epoch: str, rows: Sequence[StoredRevocation]) -> list[Message]:
        """Return signed messages that tell the rows, in their order."""
        told = [self._told(row) for row in rows]
        packed = encode_all(told, epoch=epoch, at=self._clock.now(), keys=self._keys)
        left = iter(rows)
        return [Message(text, [row.id for row in islice(left, count)]) for text, count in packed]


def entries_of(messages: Sequence[Message], ids: Sequence[bytes]) -> Entries:
    """Return which entry tells each row, given the messages' ids in their order."""
    return {
        row: entry.decode()
        for message, entry in zip(messages, ids, strict=True)
        for row in message.rows
    }


def _milliseconds(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
