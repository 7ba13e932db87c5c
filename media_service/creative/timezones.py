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
        self._names: frozenset[str] = frozenset()
        self._cache: dict[str, ZoneInfo] = {}

    async def load_names(self) -> None:
        """Load all names, so that an unknown name is never used as a path."""
        self._names = frozenset(await asyncio.to_thread(zoneinfo.available_timezones))

    def __contains__(self, name: str) -> bool:
        return name in self._names

    async def require(self, name: str) -> ZoneInfo:
        """Return the zone of that exact name.

        Raises:
            ValidationFailed: there is none; named as the field `timezone`.
        """
        if name not in self:
            raise ValidationFailed([UNKNOWN_TIMEZONE])
        if name not in self._cache:
            self._cache[name] = await asyncio.to_thread(ZoneInfo, name)
        return self._cache[name]
