"""Known devices: which ones have signed in to an account, and by which of its names."""

from collections.abc import Sequence
from uuid import UUID

from auth_service.device.model import LIFE_SECONDS
from auth_service.rate_limit.model import digest
from auth_service.rate_limit.service import LIMITS
from shared.clock import Clock, milliseconds
from shared.redis import BatchedRedis, Script, lua

PACKAGE = "auth_service.device"
KNOWN_DEVICES = lua(PACKAGE, "known_devices.lua")
IS_KNOWN = Script.of(LIMITS, KNOWN_DEVICES, lua(PACKAGE, "is_known.lua"))
REMEMBER = Script.of(LIMITS, KNOWN_DEVICES, lua(PACKAGE, "remember.lua"))


class KnownDevices:
    """Remembers devices in Redis. Without Redis its methods raise `ServiceUnavailable`."""

    def __init__(self, redis: BatchedRedis, clock: Clock) -> None:
        """Keep the knowledge in `redis`."""
        self._redis = redis
        self._clock = clock

    async def is_known(self, name: str, device: bytes | None) -> bool:
        """Return whether the device signed in, within 180 days, to the account of that name."""
        if device is None:
            return False
        now = milliseconds(self._clock.now())
        return bool(await self._redis.run(IS_KNOWN, [devices_key(name)], [now, device]))

    async def remember(self, user_id: UUID, names: Sequence[str], device: bytes) -> bool:
        """Note that the device has just signed in; return whether the account knew it before."""
        keys = [devices_key(one) for one in (str(user_id), *names)]
        now = milliseconds(self._clock.now())
        return bool(await self._redis.run(REMEMBER, keys, [now, device]))

    async def forget(self, names: Sequence[str], *, keep: bytes | None = None) -> None:
        """Make those names, or users, know no device but `keep`, where they knew that one."""
        for key in map(devices_key, names):
            seen_at = await self._redis.execute("ZSCORE", key, keep) if keep else None
            await self._redis.execute("DEL", key, f"{key}:new")
            if keep and seen_at:
                await self._redis.execute("ZADD", key, seen_at, keep)
                await self._redis.execute("PEXPIRE", key, LIFE_SECONDS * 1000)


def devices_key(name: str) -> str:
    """Return the Redis key of the devices that know a name: an address, `@username` or a user."""
    return f"devices:{digest(name)}"
