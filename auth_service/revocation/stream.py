"""The revocation stream in Redis as auth_service writes it, with its head and its channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import NamedTuple

from auth_service.revocation.model import DELETED_LIFE, StoredRevocation
from auth_service.revocation.subscribers import Marker
from shared.clock import Clock
from shared.errors import ServiceUnavailable
from shared.redis import BatchedRedis, Script, read_lua
from shared.revocation.acknowledgement import ACKNOWLEDGEMENT_CHANNEL
from shared.revocation.cache import KEEP_AFTER_EXPIRY
from shared.revocation.catch_up import STARTED
from shared.revocation.message import (
    DELETED_USERS_STREAM,
    REVOCATION_CHANNEL,
    REVOCATION_HEAD,
    REVOCATION_STREAM,
    Revocation,
    encode_batches,
)
from shared.revocation.stream_cursor import START, StreamId, StreamPosition, format_id, parse_id

PUBLISH = Script.from_sources(read_lua("auth_service.revocation", "publish.lua"))
COMPLETE_ROUND = Script.from_sources(read_lua("auth_service.revocation", "complete_round.lua"))
READ_STATE = Script.from_sources(read_lua("auth_service.revocation", "read_state.lua"))
EntryIds = dict[int, str]
"""The id of the stream entry that holds each row, by the row's id. A deleted user's entry is the
one in `DELETED_USERS_STREAM`."""


class Publication(NamedTuple):
    """Rows that were published, the head's position after them, and the marker that followed."""

    entry_ids: EntryIds
    position: StreamPosition
    marker: Marker


class EpochMismatch(ServiceUnavailable):
    """Redis has no epoch or another one: it was wiped, or never filled."""


class SignedMessage(NamedTuple):
    """A signed message without its id, and the ids of the rows that it holds."""

    text: str
    row_ids: list[int]


@dataclass(frozen=True, slots=True)
class StreamState:
    """What Redis holds. `is_intact`: it has an epoch, and the stream has its head's entry."""

    epoch: str
    is_intact: bool
    missing: frozenset[str]

    def is_missing(self, row: StoredRevocation) -> bool:
        """Return whether a published row has no entry, as far as is known."""
        return row.entry is None or row.entry in self.missing


@dataclass(frozen=True, slots=True, repr=False)  # a repr would show the keys
class RevocationStream:
    """Signs and publishes revocations, and reads back what Redis holds; each call is atomic.

    `keys`: the first one signs. `token_life`: the longest life of an access token.
    """

    redis: BatchedRedis
    keys: Sequence[bytes]
    clock: Clock
    token_life: timedelta

    @property
    def _entry_life(self) -> timedelta:
        return self.token_life + KEEP_AFTER_EXPIRY

    async def read_state(
        self, rows: Sequence[StoredRevocation] = (), entry: StreamId = START
    ) -> StreamState:
        """Return the stream's state, and what is missing of these published rows and the entry."""
        deleted = [row.entry for row in rows if row.of_deleted_user and row.entry]
        others = [row.entry for row in rows if not row.of_deleted_user and row.entry]
        if entry != START:
            others.append(format_id(entry))
        keys = [REVOCATION_STREAM, REVOCATION_HEAD, DELETED_USERS_STREAM]
        arguments: list[str | int] = [len(deleted), *deleted, *others]
        epoch, has_head_entry, missing = await self.redis.run(READ_STATE, keys, arguments)
        return StreamState(
            epoch=epoch.decode(),
            is_intact=bool(epoch and has_head_entry),
            missing=frozenset(entry.decode() for entry in missing),
        )

    async def publish(
        self, epoch: str, rows: Sequence[StoredRevocation], marker: Marker
    ) -> Publication:
        """Append the rows, move the head and publish on the channel, and after them the marker.

        Raises:
            EpochMismatch: `epoch` is not the current one; nothing was done.
        """
        deleted = self.sign(epoch, [row for row in rows if row.of_deleted_user])
        messages = deleted + self.sign(epoch, [row for row in rows if not row.of_deleted_user])
        lives = [_milliseconds(self._entry_life), _milliseconds(DELETED_LIFE)]
        texts = [message.text for message in messages]
        keys = [REVOCATION_STREAM, REVOCATION_HEAD, DELETED_USERS_STREAM]
        channels = [REVOCATION_CHANNEL, ACKNOWLEDGEMENT_CHANNEL, marker.text]
        arguments: list[str | int] = [epoch, *channels, *lives, len(deleted), *texts]
        found = await self.redis.run(PUBLISH, keys, arguments)
        if found is None:
            raise EpochMismatch
        last, *ids = found
        position = StreamPosition(epoch, parse_id(last))
        return Publication(entry_ids_of(messages, ids), position, marker)

    async def start_round(self) -> int:
        """Start a publisher's round; return its number, higher than any that Redis remembers."""
        return int(await self.redis.execute("HINCRBY", REVOCATION_HEAD, STARTED, 1))

    async def complete_round(self, number: int) -> None:
        """Tell subscribers that everything committed before a round started is published."""
        await self.redis.run(COMPLETE_ROUND, [REVOCATION_HEAD], [number])

    def affects_tokens(self, row: StoredRevocation) -> bool:
        """Return whether a cache needs the row, now or after its clock has stepped back."""
        return self._as_published(row).expires_at > self.clock.now() - KEEP_AFTER_EXPIRY

    def _as_published(self, row: StoredRevocation) -> Revocation:
        """Return what is published: a deleted user's row outlives the user's tokens by far."""
        if not row.of_deleted_user:
            return row.revocation
        expires_at = min(row.revocation.expires_at, row.created_at + self._entry_life)
        return row.revocation._replace(expires_at=expires_at)

    def sign(self, epoch: str, rows: Sequence[StoredRevocation]) -> list[SignedMessage]:
        """Return signed messages that hold the rows, in their order."""
        revocations = [self._as_published(row) for row in rows]
        now = self.clock.now()
        batches = encode_batches(revocations, epoch=epoch, at=now, keys=self.keys)
        rest = iter(rows)
        return [SignedMessage(text, [row.id for row in islice(rest, n)]) for text, n in batches]


def entry_ids_of(messages: Sequence[SignedMessage], ids: Sequence[bytes]) -> EntryIds:
    """Return the entry id of each row, given the messages' ids in the messages' order."""
    return {
        row_id: entry_id.decode()
        for message, entry_id in zip(messages, ids, strict=True)
        for row_id in message.row_ids
    }


def _milliseconds(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
