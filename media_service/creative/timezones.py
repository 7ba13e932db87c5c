"""Named time zones, loaded in threads and cached."""

import asyncio
import zoneinfo
from zoneinfo import ZoneInfo

from shared.errors import FieldError, ValidationFailed

DEFAULT_TIMEZONE = "UTC"
UNKNOWN_TIMEZONE = FieldError("timezone", "zone_unknown", "not an IANA zone name")


class TimezoneRegistry:
    """The IANA zones of this machine (or of the tzdata package); each file is read once."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._names: frozenset[str] = frozenset()
        self._cache: dict[str, ZoneInfo] = {}

    async def load_names(self) -> None:
        """Load all names, so that an unknown name is never used as a path."""
        self._names = frozenset(await asyncio.to_thread(zoneinfo.available_timezones))

    def __contains__(self, name: str) -> bool:
        """Return whether there is a zone of that exact name."""
        return name in self._names

    async def find(self, name: str) -> ZoneInfo | None:
        """Return the zone of that exact name, None when there is none."""
        zone = self._cache.get(name)
        if zone is None and name in self:
            zone = self._cache[name] = await asyncio.to_thread(ZoneInfo, name)
        return zone

    async def require(self, name: str) -> ZoneInfo:
        """Return the zone of that exact name.

        Raises:
            ValidationFailed: there is none; named as the field `timezone`.
        """
        zone = await self.find(name)
        if zone is None:
            raise ValidationFailed([UNKNOWN_TIMEZONE])
        return zone
