"""Known devices: those that have signed in to an account, by each of its identifiers."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from auth_service.device.model import LIFE_SECONDS
from auth_service.rate_limit.model import key_digest
from auth_service.rate_limit.service import LIMITS
from shared.clock import Clock, milliseconds
from shared.redis import BatchedRedis, Script, read_lua

PACKAGE = "auth_service.device"
KNOWN_DEVICES = read_lua(PACKAGE, "known_devices.lua")
IS_KNOWN = Script.from_sources(LIMITS, KNOWN_DEVICES, read_lua(PACKAGE, "is_known.lua"))
REMEMBER = Script.from_sources(LIMITS, KNOWN_DEVICES, read_lua(PACKAGE, "remember.lua"))


@dataclass(frozen=True, slots=True)
class KnownDevices:
    """Remembers devices in Redis. Without Redis its methods raise `ServiceUnavailable`."""

    redis: BatchedRedis
    clock: Clock

    async def is_known(self, identifier: str, device: bytes | None) -> bool:
        """Return whether the device signed in by the identifier within 180 days."""
        if device is None:
            return False
        now = milliseconds(self.clock.now())
        return bool(await self.redis.run(IS_KNOWN, [devices_key(identifier)], [now, device]))

    async def remember(self, user_id: UUID, identifiers: Sequence[str], device: bytes) -> bool:
        """Store that the device has just signed in; return whether the account knew it before."""
        keys = [devices_key(one) for one in (str(user_id), *identifiers)]
        now = milliseconds(self.clock.now())
        return bool(await self.redis.run(REMEMBER, keys, [now, device]))

    async def forget(self, identifiers: Sequence[str], *, keep: bytes | None = None) -> None:
        """Forget all devices of these identifiers or users but `keep`."""
        for key in map(devices_key, identifiers):
            seen_at = await self.redis.execute("ZSCORE", key, keep) if keep else None
            await self.redis.execute("DEL", key, f"{key}:new")
            if keep and seen_at:
                await self.redis.execute("ZADD", key, seen_at, keep)
                await self.redis.execute("PEXPIRE", key, LIFE_SECONDS * 1000)


def devices_key(identifier: str) -> str:
    """Return the Redis key of an identifier's devices: an address, `@username` or a user's id."""
    return f"devices:{key_digest(identifier)}"
