"""The follower: keeps a mirror in step, by pub/sub for speed and the head for certainty."""

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
from shared.redis import new_client
from shared.revocation.catch_up import CatchUp
from shared.revocation.message import (
    CHANNEL,
    HEAD,
    LOG,
    UnverifiedMessageError,
    decode,
    without_id,
)
from shared.revocation.mirror import KEEP_AFTER_EXPIRY, Mirror
from shared.revocation.position import START, Page, Position, StreamId, parse_id
from shared.tokens import LONGEST_LIFE_SECONDS

LOOK_SECONDS = 1.0
LOOK_SOON_SECONDS = 0.1
ANSWER_SECONDS = 1.0
CONNECT_SECONDS = 0.5
RECONNECT_SECONDS = 0.2
DEAF_AFTER = 3
EPOCH_SECONDS = 10.0
FORGET_EVERY = 60
PAGE = 500  # decoding one takes some 10 ms of the loop
AHEAD = timedelta(minutes=5)
"""How far our clock may be ahead before an entry is passed over that a living token needs."""
OUTLIVED_AFTER = timedelta(seconds=LONGEST_LIFE_SECONDS) + KEEP_AFTER_EXPIRY + AHEAD
log = structlog.get_logger()


class Follower:
    """Applies every message to the mirror: what is published now, and what was published before.

    Pub/sub forgets whoever is away, and a frozen connection looks healthy; so each second the
    log's head is compared over a connection of its own, with a time-out. What is behind is read;
    a changed epoch or a head that went back (a wiped or failed-over Redis) means reading all.
    """

    def __init__(self, redis: Redis, keys: Sequence[bytes], mirror: Mirror, clock: Clock) -> None:
        """Follow with `redis`; messages count when any of `keys` signed them."""
        self._redis = redis
        self._keys = keys
        self._mirror = mirror
        self._clock = clock
        self._position = Position(self._apply_logged)
        self._catch_up = CatchUp()
        self._awaited = False
        self._heard: set[bytes] = set()
        self._newest = START
        self._unanswered = 0
        self._blocking = 0
        self._began = clock.monotonic()

    async def follow(self) -> None:
        """Follow until the connection is lost.

        Subscribe first, read the backlog second: what is published in between comes twice.
        """
        try:
            async with self._redis.pubsub() as pubsub:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await pubsub.subscribe(CHANNEL)
                    if await pubsub.get_message(timeout=CONNECT_SECONDS) is None:
                        raise TimeoutError
                await self._look()
                async with asyncio.TaskGroup() as tasks:
                    listener = tasks.create_task(self._listen(pubsub))
                    await self._look_while(listener, pubsub)
        finally:
            self.lose()

    def lose(self) -> None:
        """Forget how far the log was read, because the next connection is a new one."""
        self._position.restart()
        self._catch_up.lose()
        self._heard.clear()
        self._unanswered = 0

    async def _listen(self, pubsub: PubSub) -> None:
        async for message in pubsub.listen():
            self._unanswered = 0
            if message["type"] == "message":
                self.hear(message["data"])

    def hear(self, text: bytes) -> None:
        """Apply what the channel brought, if it is ours."""
        try:
            self._mirror.add(decode(text, self._keys))
        except UnverifiedMessageError:
            log.warning("revocations.unverified_message_ignored")
            return
        entry, message = without_id(text)
        if entry is not None:
            self._heard.add(message)
            self._note_lag(parse_id(entry))

    async def _look_while(self, listener: asyncio.Task[None], pubsub: PubSub) -> None:
        looks = 0
        while not listener.done():
            await asyncio.sleep(LOOK_SOON_SECONDS if self._awaited else LOOK_SECONDS)
            await self._ping(pubsub)
            await self._look()
            looks += 1
            if looks % FORGET_EVERY == 0:
                self._mirror.forget_expired()

    async def _ping(self, pubsub: PubSub) -> None:
        """Notice a subscription that has gone deaf, while looks still go through."""
        if self._unanswered >= DEAF_AFTER:
            message = "the subscription does not answer"
            raise TimeoutError(message)
        self._unanswered += 1
        await pubsub.ping()

    async def _look(self) -> None:
        """Compare the head, read what is missing; only then are we in touch, as of the question.

        After an outage the publishers are awaited, too: they may have something to append.
        """
        asked_at = self._clock.monotonic()
        async with asyncio.timeout(LOOK_SECONDS + ANSWER_SECONDS):
            head: dict[Any, Any] = await self._redis.hgetall(HEAD)
        self._awaited = not self._catch_up.face(head, asked_at, self._clock.monotonic())
        if not self._position.face(head):
            (log.info if self._early else log.warning)("revocations.epoch_missing")
            return
        self._blocking = 0
        while (wanted := self._position.wanted) is not None:
            self._position.take(await self._read_page(*wanted))
        if self._blocking:
            log.error("revocations.unverified_entry_blocks", entries=self._blocking)
        self._heard.clear()
        if self._position.complete and not self._awaited:
            self._mirror.confirm(asked_at)

    @property
    def _early(self) -> bool:
        """Whether auth_service, which began with us, may still be about to write the epoch."""
        waited = self._clock.monotonic() - self._began
        return self._mirror.staleness == inf and waited < EPOCH_SECONDS

    async def _read_page(self, first: str, last: str) -> Page:
        async with asyncio.timeout(ANSWER_SECONDS):
            page: Any = await self._redis.xrange(LOG, first, last, PAGE)
        return list(page)

    def _apply_logged(self, entry: StreamId, message: bytes) -> bool:
        if message in self._heard:
            return True
        try:
            self._mirror.add(decode(message, self._keys))
        except UnverifiedMessageError:
            if self._outlived(entry):
                return True
            self._blocking += 1
            return False
        self._note_lag(entry)
        return True

    def _outlived(self, entry: StreamId) -> bool:
        """Tell whether every token that an entry may have cut off has expired by itself.

        Such an entry counts as trimmed, which only whoever appends does; its key may be dropped.
        """
        return entry[0] < milliseconds(self._clock.now() - OUTLIVED_AFTER)

    def _note_lag(self, entry: StreamId) -> None:
        """Note how late a message came; what was there before us did not come late."""
        if entry > self._newest:
            self._newest = entry
            if self._mirror.staleness < inf:
                late = milliseconds(self._clock.now()) - entry[0]
                self._mirror.lag = max(0.0, late / 1000)


@contextlib.asynccontextmanager
async def following(
    redis_url: str,
    keys: Sequence[bytes],
    clock: Clock,
    **mirror_options: Any,
) -> AsyncIterator[Mirror]:
    """Keep a mirror in step inside the block; `mirror_options` are `Mirror`'s.

    The first complete read happens in the background: `mirror.in_touch` tells.
    """
    mirror = Mirror(clock, **mirror_options)
    redis = new_client(redis_url, timeout=ANSWER_SECONDS)
    follower = Follower(redis, keys, mirror, clock)
    try:
        async with run_periodically("revocations", follower.follow, pause=RECONNECT_SECONDS):
            yield mirror
    finally:
        await redis.aclose()
