"""Named time zones, loaded in threads and cached."""

import asyncio
from importlib.resources import files
from zoneinfo import ZoneInfo

import tzdata

from shared.errors import FieldError, ValidationFailed

DEFAULT_TIMEZONE = "UTC"
UNKNOWN_TIMEZONE = FieldError("timezone", "zone_unknown", "not an IANA zone name")

_NO_PLACES = {"Factory", "localtime", "posixrules"}
"""The first is for machines without a zone, the others are whatever a machine is set to."""


class TimezoneRegistry:
    """The IANA zones of the pinned tzdata package, on every machine alike; each is read once.

    The zone files of a machine are as old as its last upgrade, so replicas would differ.
    """

    def __init__(self) -> None:
        self.version: str = tzdata.IANA_VERSION
        self._names: frozenset[str] = frozenset()
        self._cache: dict[str, ZoneInfo] = {}

    async def load_names(self) -> None:
        """Load all names, so that an unknown name is never used as a path."""
        self._names = frozenset(await asyncio.to_thread(_read_names)) - _NO_PLACES

    @property
    def names(self) -> list[str]:
        """Return every name, in alphabetical order."""
        return sorted(self._names)

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
            self._cache[name] = await asyncio.to_thread(_read_zone, name)
        return self._cache[name]


def _read_names() -> list[str]:
    return files(tzdata).joinpath("zones").read_text(encoding="ascii").split()


def _read_zone(name: str) -> ZoneInfo:
    with files(tzdata).joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)
