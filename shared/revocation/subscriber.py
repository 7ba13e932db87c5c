"""Keeps a revocation cache up to date: pub/sub for speed, the stream's head for certainty."""

import asyncio
import contextlib
import logging
import re
import socket
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from math import inf
from typing import Any

import structlog
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from shared.alarm import Alarm
from shared.background import run_periodically, wait_for_event
from shared.clock import Clock, milliseconds
from shared.entropy import SystemEntropy
from shared.logs import describe_error
from shared.redis import new_client
from shared.redis_connection import RedisConnection, open_connection, to_mapping
from shared.revocation.acknowledgement import ACKNOWLEDGEMENT_CHANNEL, Acknowledgement
from shared.revocation.applied_position import AppliedPosition
from shared.revocation.cache import KEEP_AFTER_EXPIRY, RevocationCache
from shared.revocation.catch_up import CatchUp
from shared.revocation.message import (
    REVOCATION_CHANNEL,
    REVOCATION_HEAD,
    REVOCATION_STREAM,
    UnverifiedMessageError,
    decode,
    split_id,
)
from shared.revocation.stream_cursor import (
    START,
    Page,
    StreamCursor,
    StreamId,
    StreamPosition,
    parse_id,
)
from shared.tokens import LONGEST_LIFE_SECONDS

HEAD_CHECK_SECONDS = 1.0
CATCH_UP_CHECK_SECONDS = 0.1
RECONNECT_DELAY_SECONDS = 0.2
GOODBYE_TIMEOUT_SECONDS = 0.3
MAX_NAME = 60
EPOCH_GRACE_SECONDS = 10.0
CHECKS_PER_CLEANUP = 60
PAGE_SIZE = 500  # decoding a page takes some 10 ms of the event loop
CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far our clock may be ahead before we skip an entry that revokes an unexpired token."""
ENTRY_LIFETIME = timedelta(seconds=LONGEST_LIFE_SECONDS) + KEEP_AFTER_EXPIRY + CLOCK_TOLERANCE
log = structlog.get_logger()


class RevocationSubscriber:
    """Applies every message to the cache: new ones from the channel, earlier ones from the stream.

    Pub/sub forgets subscribers that are away, and a frozen connection looks healthy. So each second
    the stream's head is read over another connection, with a timeout. New entries are read from the
    stream; a changed epoch or an earlier head (Redis was wiped or failed over) means reading all.

    It acknowledges what it applied, as auth_service answers a sign-out once every subscriber has
    applied it. A look counts only if an acknowledgement was published before it. So the publisher
    of an entry that the look does not show knows this subscriber.
    """

    def __init__(
        self,
        pool: ConnectionPool,
        keys: Sequence[bytes],
        cache: RevocationCache,
        clock: Clock,
        name: str = "",
    ) -> None:
        """Connect as `pool` does; any of `keys` may have signed a message, the first signs ours.

        `name`: how operators recognise this process, by default its host's name.
        """
        plain = re.sub(r"[^A-Za-z0-9_.-]", "-", name or socket.gethostname())[:MAX_NAME]
        self._name = f"{plain}-{SystemEntropy().bytes(8).hex()}"
        self._pool = pool
        self._keys = keys
        self._cache = cache
        self._clock = clock
        self._cursor = StreamCursor(self._verify_and_apply)
        self._is_catching_up = False
        self._newest_id = START
        self._unverified = Alarm("revocations.unverified_message_ignored", logging.WARNING)
        self._unverified_entries = 0
        self._started_at = clock.monotonic()
        self.on_disconnect()  # nothing is read yet

    async def run(self) -> None:
        """Subscribe and keep the cache up to date until the connection is lost.

        Subscribe first, read the stream second: a message published in between comes twice.
        """
        try:
            await self._follow()
        except Exception as lost:
            cause = lost.exceptions[0] if isinstance(lost, ExceptionGroup) else lost
            self._cache.obstacle = describe_error(cause)
            raise
        finally:
            self.on_disconnect()

    async def _follow(self) -> None:
        """Read over one connection while it lasts: another one may lead to another server."""
        connect = open_connection(self._pool)
        async with connect as subscriber, open_connection(self._pool) as connection:
            subscription = await subscriber.subscribe(REVOCATION_CHANNEL, self.on_message)
            await self._sync_to_head(connection)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(subscriber.wait_until_lost(subscription))
                tasks.create_task(self._sync_and_acknowledge(connection))

    def on_disconnect(self) -> None:
        """Read the whole stream after the next connect, and wait for the publishers again.

        Nothing is acknowledged before that: the next server may be another one.
        """
        self._cursor.rewind()
        self._catch_up = CatchUp()
        self._received: set[bytes] = set()
        self._is_complete = False
        self._applied = AppliedPosition()

    def on_message(self, text: bytes) -> None:
        """Apply a message from the channel, if one of our keys signed it."""
        try:
            epoch, revocations = decode(text, self._keys)
        except UnverifiedMessageError:
            self._unverified.record(self._clock.monotonic())
            self._applied.on_unverified_message()
            return
        self._cache.add(revocations)
        entry_id, message = split_id(text)
        if entry_id is None:
            return
        self._received.add(message)
        entry = parse_id(entry_id)
        self._record_lag(entry)
        self._applied.on_message(StreamPosition(epoch, entry))

    async def _sync_and_acknowledge(self, connection: RedisConnection) -> None:
        """Look each second; acknowledge at once what the channel brings in between."""
        checks = 0
        while True:
            pause = CATCH_UP_CHECK_SECONDS if self._is_catching_up else HEAD_CHECK_SECONDS
            await self._acknowledge_for(pause, connection)
            await self._sync_to_head(connection)
            checks += 1
            if checks % CHECKS_PER_CLEANUP == 0:
                self._cache.remove_expired()

    async def _acknowledge_for(self, seconds: float, connection: RedisConnection) -> None:
        """Acknowledge for so long; what is applied meanwhile shares the next message."""
        end = self._clock.monotonic() + seconds
        while (left := end - self._clock.monotonic()) > 0:
            if await wait_for_event(self._applied.moved, left):
                self._applied.moved.clear()
                await connection.execute(self._acknowledgement(self._cache.honours_for))

    def _acknowledgement(self, honours_for: float | None) -> tuple[str, str, str]:
        """Return the command that acknowledges what was applied."""
        said = Acknowledgement(self._name, self._applied.newest, honours_for)
        return "PUBLISH", ACKNOWLEDGEMENT_CHANNEL, said.encode(self._keys[0])

    async def say_goodbye(self) -> None:
        """Honour no token any more, and tell the publishers, so that none waits for us."""
        self._cache.stop()
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(GOODBYE_TIMEOUT_SECONDS):
                async with open_connection(self._pool) as connection:
                    await connection.execute(self._acknowledgement(0))

    async def _sync_to_head(self, connection: RedisConnection) -> None:
        """Apply everything up to the head; then the cache is fresh as of an announced look.

        Announced is only a look that is likely to count. So publishers do not wait for a subscriber
        that honours nothing, because an entry or a publisher keeps its looks from being complete.
        """
        if not self._is_complete:  # a subscriber that starts asks for a publisher's round
            request = [self._acknowledgement(0)] if self._cache.staleness == inf else []
            self._is_complete = await self._look(connection, *request)
        if self._is_complete:
            asked_at = self._clock.monotonic()
            announcement = self._acknowledgement(self._cache.honours_for)
            self._is_complete = await self._look(connection, announcement)
            if self._is_complete:
                self._cache.mark_fresh(asked_at)

    async def _look(self, connection: RedisConnection, *announcement: tuple[str, ...]) -> bool:
        """Read the head and all entries up to it; tell whether everything up to it was applied.

        After an outage the publishers may still have revocations to append: wait for them first.
        `announcement`: a command that Redis runs before it reads the head.
        """
        self._applied.on_look_begun()
        asked_at = self._clock.monotonic()
        *_, fields = await connection.execute(*announcement, ("HGETALL", REVOCATION_HEAD))
        answered_at, head = self._clock.monotonic(), to_mapping(fields)
        if not self._cursor.update_head(head):
            (log.info if self._is_starting else log.warning)("revocations.epoch_missing")
            self._cache.obstacle = "auth_service has not written them to Redis"
            return False
        self._is_catching_up = not self._catch_up.observe_head(head, asked_at, answered_at)
        if self._is_catching_up:
            self._cache.obstacle = "auth_service has not published yet what an outage held up"
        self._unverified_entries = 0
        while (next_range := self._cursor.next_range) is not None:
            self._cursor.apply_page(await self._read_page(connection, *next_range))
        if self._unverified_entries:
            log.error("revocations.unverified_entry_blocks", entries=self._unverified_entries)
            self._cache.obstacle = f"{self._unverified_entries} entries have a foreign signature"
        self._received.clear()
        is_complete = self._cursor.is_at_head and not self._is_catching_up
        if is_complete:
            self._applied.on_look_complete(self._cursor.position)
        return is_complete

    @property
    def _is_starting(self) -> bool:
        """Return whether auth_service, started together with us, may still create the epoch."""
        uptime = self._clock.monotonic() - self._started_at
        return self._cache.staleness == inf and uptime < EPOCH_GRACE_SECONDS

    async def _read_page(self, connection: RedisConnection, first: str, last: str) -> Page:
        command = ("XRANGE", REVOCATION_STREAM, first, last, "COUNT", PAGE_SIZE)
        [page] = await connection.execute(command)
        return [(entry_id, to_mapping(fields)) for entry_id, fields in page]

    def _verify_and_apply(self, entry_id: StreamId, message: bytes) -> bool:
        if message in self._received:
            return True
        try:
            self._cache.add(decode(message, self._keys).revocations)
        except UnverifiedMessageError:
            if self._is_outlived(entry_id):
                return True
            self._unverified_entries += 1
            return False
        self._record_lag(entry_id)
        return True

    def _is_outlived(self, entry_id: StreamId) -> bool:
        """Return whether every token that an entry may have revoked has expired.

        Such an entry counts as trimmed: nobody trims the stream until a new entry is appended.
        """
        return entry_id[0] < milliseconds(self._clock.now() - ENTRY_LIFETIME)

    def _record_lag(self, entry_id: StreamId) -> None:
        """Record how late a new message came; entries from before our start were not late."""
        if entry_id > self._newest_id:
            self._newest_id = entry_id
            if self._cache.staleness < inf:
                late = milliseconds(self._clock.now()) - entry_id[0]
                self._cache.lag = max(0.0, late / 1000)


@contextlib.asynccontextmanager
async def open_revocation_cache(
    redis_url: str,
    keys: Sequence[bytes],
    clock: Clock,
    *,
    name: str = "",
    **cache_options: Any,
) -> AsyncIterator[RevocationCache]:
    """Keep a cache up to date inside the block; `cache_options` are `RevocationCache`'s.

    `name`: how operators recognise this process, by default its host's name.

    The first complete read happens in the background: `cache.is_fresh` tells when it is done.
    """
    cache = RevocationCache(clock, **cache_options)
    redis = new_client(redis_url)
    subscriber = RevocationSubscriber(redis.connection_pool, keys, cache, clock, name)
    try:
        async with run_periodically("revocations", subscriber.run, pause=RECONNECT_DELAY_SECONDS):
            yield cache
        await subscriber.say_goodbye()
    finally:
        await redis.aclose()
