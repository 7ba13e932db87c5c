"""The queue of deliveries: a Redis stream, a consumer group, and what is known of each attempt."""

import json
from collections.abc import Iterable
from typing import Any, Literal

from redis.exceptions import ResponseError

from auth_service.delivery.model import DEAD, GROUP, STREAM, Entry
from shared.redis import BatchedRedis, Script, Value, lua

STALE_MS = 3500
"""A consumer that has not renewed its claims for so long is dead: it renews each second."""
KEEP_ATTEMPTS_MS = 3_600_000
MOST_DEAD = 10_000
PACKAGE = "auth_service.delivery"
CLAIM = Script.of(lua(PACKAGE, "claim.lua"))
RENEW = Script.of(lua(PACKAGE, "renew.lua"))
MARK = Script.of(lua(PACKAGE, "record_attempt.lua"))
REVIVE = Script.of(lua(PACKAGE, "requeue.lua"))
FINISH = Script.of(lua(PACKAGE, "finish.lua"))
Verdict = Literal["go", "lost", "unknown", "refused"]


class Queue:
    """One consumer's view of the queue. Every method raises `ServiceUnavailable` without Redis."""

    def __init__(self, redis: BatchedRedis, consumer: str) -> None:
        """`consumer`: a name that no other process has; empty for one that only puts and looks."""
        self._redis = redis
        self._consumer = consumer

    async def prepare(self) -> None:
        """Create the consumer group where there is none."""
        try:
            await self._redis.execute("XGROUP", "CREATE", STREAM, GROUP, "0", "MKSTREAM")
        except ResponseError as refused:
            if not str(refused).startswith("BUSYGROUP"):
                raise

    async def take(self, most: int) -> list[Entry]:
        """Return up to `most` entries: those of consumers that died first, then new ones."""
        taken = await self._redis.run(CLAIM, [STREAM], [GROUP, self._consumer, STALE_MS, most])
        return [_entry(place, fields) for place, fields in taken if fields]

    async def renew(self, places: Iterable[str]) -> set[str]:
        """Keep what is in hand; return the places that another worker has in hand now."""
        lost = await self._redis.run(RENEW, [STREAM], [GROUP, self._consumer, *places])
        return {place.decode() for place in lost}

    async def mark(self, entry: Entry, provider: str) -> Verdict:
        """Note that a provider is about to be asked; anything but `go` means: do not ask it."""
        forget_at = entry.not_after + KEEP_ATTEMPTS_MS
        arguments: list[Value] = [GROUP, self._consumer, entry.place, provider, forget_at]
        verdict: bytes = await self._redis.run(MARK, [STREAM, _attempts(entry)], arguments)
        return verdict.decode()  # type: ignore[return-value] # the script's four words

    async def note(
        self, entry: Entry, provider: str, outcome: Literal["failed", "refused"]
    ) -> None:
        """Note that the provider has certainly not taken the message."""
        await self._redis.execute("HSET", _attempts(entry), provider, outcome)

    async def put(self, delivery_id: str, sealed: bytes, not_after: int) -> None:
        """Append a delivery that belongs to no challenge."""
        fields: list[Value] = ["id", delivery_id, "not_after", not_after, "sealed", sealed]
        await self._redis.execute("XADD", STREAM, "*", *fields)

    async def finish(self, entry: Entry) -> None:
        """Take a sent entry off the queue."""
        await self._finish(entry, "")

    async def bury(self, entry: Entry, reasons: dict[str, str], died_at: str) -> None:
        """Move an entry to the dead letters."""
        letter = {
            "id": entry.id,
            "not_after": entry.not_after,
            "sealed": entry.sealed.hex(),
            "reasons": reasons,
            "died_at": died_at,
        }
        await self._finish(entry, json.dumps(letter))

    async def dead(self) -> list[dict[str, Any]]:
        """Return the dead letters, the newest first, sealed as they were."""
        letters: list[bytes] = await self._redis.execute("LRANGE", DEAD, 0, -1)
        return [json.loads(letter) for letter in letters]

    async def count_dead(self) -> int:
        """Return how many dead letters there are."""
        return int(await self._redis.execute("LLEN", DEAD))

    async def dead_from(self, place: int, count: int) -> list[dict[str, Any]]:
        """Return up to `count` dead letters from the one at `place`, as the oldest counts."""
        if place <= 0:
            return []
        last = min(count - place - 1, -1)
        letters: list[bytes] = await self._redis.execute("LRANGE", DEAD, -place, last)
        return [json.loads(letter) for letter in letters]

    async def revive(self, letter: dict[str, Any]) -> bool:
        """Put a dead letter back into the queue; False when somebody else just has."""
        text = json.dumps(letter)
        fields: list[Value] = ["id", letter["id"], "not_after", letter["not_after"]]
        sealed = bytes.fromhex(letter["sealed"])
        return bool(
            await self._redis.run(REVIVE, [STREAM, DEAD], [text, *fields, "sealed", sealed])
        )

    async def delete_dead(self, letter: dict[str, Any]) -> bool:
        """Forget a dead letter; False when somebody else just has, or has revived it."""
        return bool(await self._redis.execute("LREM", DEAD, 1, json.dumps(letter)))

    async def _finish(self, entry: Entry, letter: str) -> None:
        keys = [STREAM, _attempts(entry), DEAD]
        await self._redis.run(FINISH, keys, [GROUP, entry.place, letter, MOST_DEAD])


def _attempts(entry: Entry) -> str:
    return f"attempts:{entry.id}"


def _entry(place: bytes, flat: list[bytes]) -> Entry:
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    return Entry(
        place=place.decode(),
        id=fields[b"id"].decode(),
        not_after=int(fields[b"not_after"]),
        sealed=fields[b"sealed"],
    )
