"""Known devices: which ones have signed in to an account, and by which of its names."""

from collections.abc import Sequence
from uuid import UUID

from auth_service.throttle.model import digest
from shared.clock import Clock, milliseconds
from shared.redis import BatchedRedis, Script, lua

PACKAGE = "auth_service.device"
KNOWN = lua(PACKAGE, "known.lua")
ASK = Script.of(KNOWN, lua(PACKAGE, "ask.lua"))
REMEMBER = Script.of(KNOWN, lua(PACKAGE, "remember.lua"))


class KnownDevices:
    """Remembers devices in Redis. Without Redis its methods raise `ServiceUnavailable`."""

    def __init__(self, redis: BatchedRedis, clock: Clock) -> None:
        """Keep the knowledge in `redis`."""
        self._redis = redis
        self._clock = clock

    async def knows(self, name: str, device: bytes | None) -> bool:
        """Return whether the device signed in, within 180 days, to the account of that name."""
        if device is None:
            return False
        now = milliseconds(self._clock.now())
        return bool(await self._redis.run(ASK, [devices_key(name)], [now, device]))

    async def remember(self, user_id: UUID, names: Sequence[str], device: bytes) -> bool:
        """Note that the device has just signed in; return whether the account knew it before."""
        keys = [devices_key(one) for one in (str(user_id), *names)]
        now = milliseconds(self._clock.now())
        return bool(await self._redis.run(REMEMBER, keys, [now, device]))


def devices_key(name: str) -> str:
    """Return the Redis key of the devices that know a name: an address, `@username` or a user."""
    return f"devices:{digest(name)}"
