"""Named time zones, read away from the event loop and kept."""

import asyncio
import zoneinfo
from zoneinfo import ZoneInfo

DEFAULT_ZONE = "UTC"


class Zones:
    """The IANA zones of this machine (or of the tzdata package); each file is read once."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._names: frozenset[str] = frozenset()
        self._known: dict[str, ZoneInfo] = {}

    async def prepare(self) -> None:
        """Learn every zone's name: what is no name never becomes a path."""
        self._names = frozenset(await asyncio.to_thread(zoneinfo.available_timezones))

    async def find(self, name: str) -> ZoneInfo | None:
        """Return the zone of that exact name, None when there is none."""
        known = self._known.get(name)
        if known is None and name in self._names:
            known = self._known[name] = await asyncio.to_thread(ZoneInfo, name)
        return known
