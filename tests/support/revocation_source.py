"""The backlog of revocations as auth_service writes it, and what a mirror makes of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from redis.asyncio import Redis

from shared.errors import ServiceUnavailable, TokenRevoked
from shared.revocation.message import CHANNEL, HEAD, LOG, Revocation, encode
from shared.revocation.mirror import Mirror
from shared.tokens import Claims
from tests.support.waiting import until

KEY, OTHER = b"k" * 40, b"o" * 40


def claims(session: UUID) -> Claims:
    return Claims(uuid4(), session, "j", 0, 0, 0, 0, 0, (), ())


def refused(mirror: Mirror, session: UUID) -> bool:
    try:
        mirror.check(claims(session))
    except (TokenRevoked, ServiceUnavailable) as refusal:
        return isinstance(refusal, TokenRevoked)
    return False


@dataclass
class Source:
    """Writes what auth_service writes, step by step."""

    redis: Redis
    epoch: str = "first"

    async def begin(self, epoch: str = "first") -> None:
        self.epoch = epoch
        newest: Any = await self.redis.xrevrange(LOG, count=1)
        last = newest[0][0] if newest else "0-0"
        await self.redis.hset(HEAD, mapping={"epoch": epoch, "last": last})

    def message(self, session: UUID, key: bytes = KEY) -> str:
        now = datetime.now(UTC)
        revocation = Revocation("session", str(session), "logout", now + timedelta(minutes=10))
        return encode([revocation], epoch=self.epoch, at=now, keys=[key])

    async def append(self, message: str) -> None:
        """Append to the backlog and move the head; tell nobody."""
        entry = await self.redis.xadd(LOG, {"m": message})
        await self.redis.hset(HEAD, mapping={"last": entry})

    async def revoke(self) -> UUID:
        session = uuid4()
        message = self.message(session)
        await self.append(message)
        await self.redis.publish(CHANNEL, message)
        return session

    async def revoke_unheard(self) -> UUID:
        session = uuid4()
        await self.append(self.message(session))
        return session


async def in_touch(mirror: Mirror, *, wanted: bool = True) -> None:
    async def holds() -> bool:
        return mirror.in_touch is wanted

    await until(holds)


async def known(mirror: Mirror, session: UUID, seconds: float = 5) -> None:
    async def holds() -> bool:
        return refused(mirror, session)

    await until(holds, seconds)
