"""The queue of deliveries: a Redis stream with a consumer group, and a record of each attempt."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from redis.exceptions import ResponseError

from auth_service.delivery.model import DEAD_LETTERS, GROUP, STREAM, SealedDelivery
from shared.redis import BatchedRedis, Script, Value, read_lua

STALE_MS = 3500
"""A consumer that has not renewed its claims for so long is dead: it renews each second."""
KEEP_ATTEMPTS_MS = 3_600_000
MAX_DEAD_LETTERS = 10_000
PACKAGE = "auth_service.delivery"
CLAIM = Script.from_sources(read_lua(PACKAGE, "claim.lua"))
RENEW = Script.from_sources(read_lua(PACKAGE, "renew.lua"))
BEGIN_ATTEMPT = Script.from_sources(read_lua(PACKAGE, "begin_attempt.lua"))
FINISH = Script.from_sources(read_lua(PACKAGE, "finish.lua"))
AttemptVerdict = Literal["go", "lost", "unknown", "refused"]


@dataclass(frozen=True, slots=True)
class DeliveryProducer:
    """Appends deliveries. Without Redis: `ServiceUnavailable`.

    `send.lua` appends the deliveries of codes itself, together with their challenge.
    """

    redis: BatchedRedis

    async def enqueue(self, delivery_id: str, sealed: bytes, not_after: int) -> None:
        """Append a delivery that belongs to no challenge."""
        fields: list[Value] = ["id", delivery_id, "not_after", not_after, "sealed", sealed]
        await self.redis.execute("XADD", STREAM, "*", *fields)


@dataclass(frozen=True, slots=True)
class DeliveryConsumer:
    """One member of the consumer group. Without Redis its methods raise `ServiceUnavailable`.

    `name`: one that no other process has.
    """

    redis: BatchedRedis
    name: str

    async def create_group(self) -> None:
        """Create the consumer group if there is none."""
        try:
            await self.redis.execute("XGROUP", "CREATE", STREAM, GROUP, "0", "MKSTREAM")
        except ResponseError as refused:
            if not str(refused).startswith("BUSYGROUP"):
                raise

    async def claim(self, limit: int) -> list[SealedDelivery]:
        """Return up to `limit` entries: those of dead consumers first, then new ones."""
        claimed = await self.redis.run(CLAIM, [STREAM], [GROUP, self.name, STALE_MS, limit])
        return [_entry(stream_id, fields) for stream_id, fields in claimed if fields]

    async def renew(self, stream_ids: Iterable[str]) -> set[str]:
        """Renew claims; return those of the ids that another consumer has taken over."""
        lost = await self.redis.run(RENEW, [STREAM], [GROUP, self.name, *stream_ids])
        return {stream_id.decode() for stream_id in lost}

    async def begin_attempt(self, entry: SealedDelivery, provider: str) -> AttemptVerdict:
        """Record that the provider will be asked now; ask it only when this returns `go`."""
        attempt = {
            "group": GROUP,
            "consumer": self.name,
            "stream_id": entry.stream_id,
            "provider": provider,
            "forget_at": entry.not_after + KEEP_ATTEMPTS_MS,
        }
        keys = [STREAM, _attempts_key(entry)]
        verdict: bytes = await self.redis.run(BEGIN_ATTEMPT, keys, [json.dumps(attempt)])
        return verdict.decode()  # type: ignore[return-value] # the script's four words

    async def record_outcome(
        self, entry: SealedDelivery, provider: str, outcome: Literal["failed", "refused"]
    ) -> None:
        """Record that the provider has certainly not taken the message."""
        await self.redis.execute("HSET", _attempts_key(entry), provider, outcome)

    async def acknowledge(self, entry: SealedDelivery) -> None:
        """Remove a sent entry from the queue."""
        await self._finish(entry, "")

    async def dead_letter(
        self, entry: SealedDelivery, reasons: dict[str, str], died_at: str
    ) -> None:
        """Move an entry to the dead letters."""
        letter = {
            "id": entry.delivery_id,
            "not_after": entry.not_after,
            "sealed": entry.sealed.hex(),
            "reasons": reasons,
            "died_at": died_at,
        }
        await self._finish(entry, json.dumps(letter))

    async def _finish(self, entry: SealedDelivery, letter: str) -> None:
        keys = [STREAM, _attempts_key(entry), DEAD_LETTERS]
        await self.redis.run(FINISH, keys, [GROUP, entry.stream_id, letter, MAX_DEAD_LETTERS])


def _attempts_key(entry: SealedDelivery) -> str:
    return f"attempts:{entry.delivery_id}"


def _entry(stream_id: bytes, flat: list[bytes]) -> SealedDelivery:
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    return SealedDelivery(
        stream_id=stream_id.decode(),
        delivery_id=fields[b"id"].decode(),
        not_after=int(fields[b"not_after"]),
        sealed=fields[b"sealed"],
    )
