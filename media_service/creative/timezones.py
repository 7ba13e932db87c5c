"""Named time zones, loaded in threads and cached."""

import asyncio
from difflib import get_close_matches
from importlib.resources import files
from zoneinfo import ZoneInfo

import tzdata

from shared.errors import FieldError, ValidationFailed

DEFAULT_TIMEZONE = "UTC"
UNKNOWN_TIMEZONE = FieldError("timezone", "zone_unknown", "not an IANA zone name")

_UNUSABLE_NAMES = {"Factory", "localtime", "posixrules"}
"""The first is for machines without a zone, the others stand for the machine's own zone."""

_MIN_SIMILARITY = 0.8
"""Less similar names are those of other places, and take longer to find."""


class TimezoneRegistry:
    """The IANA zones of the pinned tzdata package, on every machine alike; each is read once.

    The zone files of a machine are as old as its last upgrade, so replicas would differ.
    """

    def __init__(self) -> None:
        self.version: str = tzdata.IANA_VERSION
        self._names: dict[str, str] = {}
        self._cache: dict[str, ZoneInfo] = {}

    async def load_names(self) -> None:
        """Load all names, so that an unknown name is never used as a path."""
        names = set(await asyncio.to_thread(_read_names)) - _UNUSABLE_NAMES
        self._names = {name.lower(): name for name in names}

    @property
    def names(self) -> list[str]:
        """Return every name, in alphabetical order."""
        return sorted(self._names.values())

    def find(self, name: str) -> str | None:
        """Return the name of the zone as IANA writes it, None when there is no such zone."""
        return self._names.get(name.lower())

    def find_nearest(self, name: str) -> str | None:
        """Return the most similar name of a zone, None when no name is similar."""
        near = get_close_matches(name.lower(), self._names, n=1, cutoff=_MIN_SIMILARITY)
        return self._names[near[0]] if near else None

    async def require(self, name: str) -> ZoneInfo:
        """Return the zone of that exact name.

        Raises:
            ValidationFailed: there is none; named as the field `timezone`.
        """
        if self.find(name) != name:
            raise ValidationFailed([UNKNOWN_TIMEZONE])
        if name not in self._cache:
            self._cache[name] = await asyncio.to_thread(_read_zone, name)
        return self._cache[name]


def _read_names() -> list[str]:
    return files(tzdata).joinpath("zones").read_text(encoding="ascii").split()


def _read_zone(name: str) -> ZoneInfo:
    with files(tzdata).joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)
