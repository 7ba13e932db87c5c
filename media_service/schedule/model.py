"""The days that a schedule shows, as instants."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from media_service.creative.due import first_instant

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Days:
    """Today and tomorrow in one zone: three instants, in UTC, between which they lie."""

    today: datetime
    tomorrow: datetime
    end: datetime

    @classmethod
    def around(cls, now: datetime, zone: tzinfo) -> "Days":
        """Return the days as `zone` has them at `now`; not all of them have 24 hours."""
        day = now.astimezone(zone).date()
        return cls(
            first_instant(day, zone),
            first_instant(day + _DAY, zone),
            first_instant(day + _DAY * 2, zone),
        )
