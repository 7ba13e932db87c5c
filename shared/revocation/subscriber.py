"""Keeps a revocation cache up to date: pub/sub for speed, the stream's head for certainty."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from math import inf
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from shared.background import run_periodically
from shared.clock import Clock, milliseconds
from shared.logs import describe_error
from shared.redis import new_client
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
from shared.revocation.stream_cursor import START, Page, StreamCursor, StreamId, parse_id
from shared.tokens import LONGEST_LIFE_SECONDS

HEAD_CHECK_SECONDS = 1.0
CATCH_UP_CHECK_SECONDS = 0.1
RESPONSE_TIMEOUT_SECONDS = 1.0
CONNECT_TIMEOUT_SECONDS = 0.5
RECONNECT_DELAY_SECONDS = 0.2
UNRESPONSIVE_AFTER_PINGS = 3
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
    """

    def __init__(
        self, redis: Redis, keys: Sequence[bytes], cache: RevocationCache, clock: Clock
    ) -> None:
        """Read from `redis`; any of `keys` may have signed a message."""
        self._redis = redis
        self._keys = keys
        self._cache = cache
        self._clock = clock
        self._cursor = StreamCursor(self._verify_and_apply)
        self._catch_up = CatchUp()
        self._is_catching_up = False
        self._received: set[bytes] = set()
        self._newest_id = START
        self._unanswered_pings = 0
        self._unverified_entries = 0
        self._started_at = clock.monotonic()

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
        async with self._redis.pubsub() as pubsub:
            async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                await pubsub.subscribe(REVOCATION_CHANNEL)
                if await pubsub.get_message(timeout=CONNECT_TIMEOUT_SECONDS) is None:
                    raise TimeoutError
            await self._sync_to_head()
            async with asyncio.TaskGroup() as tasks:
                listener = tasks.create_task(self._listen(pubsub))
                await self._sync_to_head_while(listener, pubsub)

    def on_disconnect(self) -> None:
        """Read the whole stream after the next connect, and wait for the publishers again."""
        self._cursor.rewind()
        self._catch_up.on_disconnect()
        self._received.clear()
        self._unanswered_pings = 0

    async def _listen(self, pubsub: PubSub) -> None:
        async for message in pubsub.listen():
            self._unanswered_pings = 0
            if message["type"] == "message":
                self.on_message(message["data"])

    def on_message(self, text: bytes) -> None:
        """Apply a message from the channel, if one of our keys signed it."""
        try:
            self._cache.add(decode(text, self._keys))
        except UnverifiedMessageError:
            log.warning("revocations.unverified_message_ignored")
            return
        entry_id, message = split_id(text)
        if entry_id is not None:
            self._received.add(message)
            self._record_lag(parse_id(entry_id))

    async def _sync_to_head_while(self, listener: asyncio.Task[None], pubsub: PubSub) -> None:
        checks = 0
        while not listener.done():
            pause = CATCH_UP_CHECK_SECONDS if self._is_catching_up else HEAD_CHECK_SECONDS
            await asyncio.sleep(pause)
            await self._ping(pubsub)
            await self._sync_to_head()
            checks += 1
            if checks % CHECKS_PER_CLEANUP == 0:
                self._cache.remove_expired()

    async def _ping(self, pubsub: PubSub) -> None:
        """Ping over the subscription, which may be half open while the head can still be read."""
        if self._unanswered_pings >= UNRESPONSIVE_AFTER_PINGS:
            raise TimeoutError("the subscription is unresponsive")
        self._unanswered_pings += 1
        await pubsub.ping()

    async def _sync_to_head(self) -> None:
        """Read the head and all entries up to it; then the cache is fresh as of the question.

        After an outage the publishers may still have revocations to append: wait for them first.
        """
        asked_at = self._clock.monotonic()
        async with asyncio.timeout(HEAD_CHECK_SECONDS + RESPONSE_TIMEOUT_SECONDS):
            head: dict[Any, Any] = await self._redis.hgetall(REVOCATION_HEAD)
        answered_at = self._clock.monotonic()
        if not self._cursor.update_head(head):
            (log.info if self._is_starting else log.warning)("revocations.epoch_missing")
            self._cache.obstacle = "auth_service has not written them to Redis"
            return
        self._is_catching_up = not self._catch_up.observe_head(head, asked_at, answered_at)
        if self._is_catching_up:
            self._cache.obstacle = "auth_service has not published yet what an outage held up"
        self._unverified_entries = 0
        while (next_range := self._cursor.next_range) is not None:
            self._cursor.apply_page(await self._read_page(*next_range))
        if self._unverified_entries:
            log.error("revocations.unverified_entry_blocks", entries=self._unverified_entries)
            self._cache.obstacle = f"{self._unverified_entries} entries have a foreign signature"
        self._received.clear()
        if self._cursor.is_at_head and not self._is_catching_up:
            self._cache.mark_fresh(asked_at)

    @property
    def _is_starting(self) -> bool:
        """Return whether auth_service, started together with us, may still create the epoch."""
        uptime = self._clock.monotonic() - self._started_at
        return self._cache.staleness == inf and uptime < EPOCH_GRACE_SECONDS

    async def _read_page(self, first: str, last: str) -> Page:
        async with asyncio.timeout(RESPONSE_TIMEOUT_SECONDS):
            page: Any = await self._redis.xrange(REVOCATION_STREAM, first, last, PAGE_SIZE)
        return list(page)

    def _verify_and_apply(self, entry_id: StreamId, message: bytes) -> bool:
        if message in self._received:
            return True
        try:
            self._cache.add(decode(message, self._keys))
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
    **cache_options: Any,
) -> AsyncIterator[RevocationCache]:
    """Keep a cache up to date inside the block; `cache_options` are `RevocationCache`'s.

    The first complete read happens in the background: `cache.is_fresh` tells when it is done.
    """
    cache = RevocationCache(clock, **cache_options)
    redis = new_client(redis_url, timeout=RESPONSE_TIMEOUT_SECONDS)
    subscriber = RevocationSubscriber(redis, keys, cache, clock)
    try:
        async with run_periodically("revocations", subscriber.run, pause=RECONNECT_DELAY_SECONDS):
            yield cache
    finally:
        await redis.aclose()
