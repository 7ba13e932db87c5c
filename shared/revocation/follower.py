"""The follower: keeps a mirror in step, by pub/sub for speed and the head for certainty."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from shared.background import repeating
from shared.clock import Clock
from shared.redis import new_client
from shared.revocation.message import CHANNEL, HEAD, LOG, UnverifiedMessageError, decode
from shared.revocation.mirror import Mirror

LOOK_SECONDS = 1.0
ANSWER_SECONDS = 1.0
RECONNECT_SECONDS = 0.2
FORGET_EVERY = 60
PAGE = 1000
START = (0, 0)
log = structlog.get_logger()

StreamId = tuple[int, int]


def parse_id(text: bytes) -> StreamId:
    """Return a stream id as a pair that compares in the stream's order."""
    milliseconds, _, sequence = text.partition(b"-")
    return int(milliseconds), int(sequence or 0)


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
        self._epoch: bytes | None = None
        self._last: StreamId = START

    async def follow(self) -> None:
        """Follow until the connection is lost.

        Subscribe first, read the backlog second: what is published in between comes twice.
        """
        async with self._redis.pubsub() as pubsub:
            await pubsub.subscribe(CHANNEL)
            if await pubsub.get_message(timeout=ANSWER_SECONDS) is None:
                raise TimeoutError
            self._epoch, self._last = None, START
            await self._look()
            async with asyncio.TaskGroup() as tasks:
                listener = tasks.create_task(self._listen(pubsub))
                await self._look_while(listener)

    async def _listen(self, pubsub: PubSub) -> None:
        async for message in pubsub.listen():
            if message["type"] == "message":
                self._apply_published(message["data"])

    def _apply_published(self, text: bytes) -> None:
        try:
            self._mirror.add(decode(text, self._keys))
        except UnverifiedMessageError:
            log.warning("revocations.unverified_message_ignored")

    async def _look_while(self, listener: asyncio.Task[None]) -> None:
        looks = 0
        while not listener.done():
            await asyncio.sleep(LOOK_SECONDS)
            await self._look()
            looks += 1
            if looks % FORGET_EVERY == 0:
                self._mirror.forget_expired()

    async def _look(self) -> None:
        """Compare the head, read what is missing; only then are we in touch, as of the question."""
        asked_at = self._clock.monotonic()
        async with asyncio.timeout(LOOK_SECONDS + ANSWER_SECONDS):
            head: dict[Any, Any] = await self._redis.hgetall(HEAD)
            epoch = head.get(b"epoch")
            if epoch is None:
                log.warning("revocations.epoch_missing")
                return
            last = parse_id(head.get(b"last", b"0"))
            if epoch != self._epoch or last < self._last:
                self._epoch, self._last = epoch, START
        if await self._read_log(last):
            self._mirror.confirm(asked_at)

    async def _read_log(self, head: StreamId) -> bool:
        """Apply what lies between our last entry and `head`; tell whether all of it was ours.

        An entry that no key verifies may hide a revocation: what follows it is applied, but we
        stay before it, out of touch, until it is trimmed or a key that verifies it is set.
        """
        position, understood = self._last, True
        while position < head:
            page = await self._read_page(position)
            for entry_id, fields in page:
                position = parse_id(entry_id)
                understood = self._apply_logged(fields) and understood
                if understood:
                    self._last = position
            if not page:  # the rest was trimmed: expired before we could read it
                break
        if understood:
            self._last = max(self._last, head)
        return understood

    async def _read_page(self, position: StreamId) -> list[tuple[bytes, dict[bytes, bytes]]]:
        after = f"({position[0]}-{position[1]}"
        async with asyncio.timeout(ANSWER_SECONDS):
            page: Any = await self._redis.xrange(LOG, after, "+", PAGE)
        return list(page)

    def _apply_logged(self, fields: dict[bytes, bytes]) -> bool:
        try:
            self._mirror.add(decode(fields.get(b"m", b""), self._keys))
        except UnverifiedMessageError:
            log.error("revocations.unverified_entry_blocks")
            return False
        return True


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
        async with repeating("revocations", follower.follow, pause=RECONNECT_SECONDS):
            yield mirror
    finally:
        await redis.aclose()
