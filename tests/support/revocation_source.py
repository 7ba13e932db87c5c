"""A stream of revocations as auth_service writes it, and what a cache makes of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from redis.asyncio import Redis

from shared.errors import ServiceUnavailable, TokenRevoked
from shared.revocation.cache import RevocationCache
from shared.revocation.message import (
    REVOCATION_CHANNEL,
    REVOCATION_HEAD,
    REVOCATION_STREAM,
    Revocation,
)
from shared.tokens import Claims
from tests.support.revocation_messages import NO_ROUND_AWAITED, encode
from tests.support.waiting import until

KEY, OTHER = b"k" * 40, b"o" * 40


def claims(session: UUID) -> Claims:
    return Claims(uuid4(), session, "j", 0, 0, 0, 0, 0, (), ())


def is_refused(cache: RevocationCache, session: UUID) -> bool:
    try:
        cache.check(claims(session))
    except (TokenRevoked, ServiceUnavailable) as refusal:
        return isinstance(refusal, TokenRevoked)
    return False


@dataclass
class RevocationSource:
    """Writes what auth_service writes, step by step."""

    redis: Redis
    epoch: str = "first"

    async def begin(self, epoch: str = "first") -> None:
        self.epoch = epoch
        newest: Any = await self.redis.xrevrange(REVOCATION_STREAM, count=1)
        last = newest[0][0] if newest else "0-0"
        head = NO_ROUND_AWAITED | {"epoch": epoch, "last": last}
        await self.redis.hset(REVOCATION_HEAD, mapping=head)

    def message(self, session: UUID, key: bytes = KEY) -> str:
        now = datetime.now(UTC)
        revocation = Revocation("session", str(session), "logout", now + timedelta(minutes=10))
        return encode([revocation], epoch=self.epoch, at=now, keys=[key])

    async def append(self, message: str) -> None:
        """Append to the stream and move the head; publish nothing."""
        entry = await self.redis.xadd(REVOCATION_STREAM, {"m": message})
        await self.redis.hset(REVOCATION_HEAD, mapping={"last": entry})

    async def revoke(self) -> UUID:
        session = uuid4()
        message = self.message(session)
        await self.append(message)
        await self.redis.publish(REVOCATION_CHANNEL, message)
        return session

    async def revoke_unpublished(self) -> UUID:
        session = uuid4()
        await self.append(self.message(session))
        return session


async def wait_until_fresh(cache: RevocationCache, *, wanted: bool = True) -> None:
    async def holds() -> bool:
        return cache.is_fresh is wanted

    await until(holds)


async def wait_until_refused(cache: RevocationCache, session: UUID, seconds: float = 5) -> None:
    async def holds() -> bool:
        return is_refused(cache, session)

    await until(holds, seconds)
