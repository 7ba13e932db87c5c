"""The two days of a schedule, as instants."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache

from media_service.creative.schedule_time import start_of_day

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayBounds:
    """Today and tomorrow in one time zone, bounded by three instants in UTC."""

    today: datetime
    tomorrow: datetime
    end: datetime

    @staticmethod
    def at(now: datetime, zone: tzinfo) -> "DayBounds":
        """Return the days of `zone` at `now`; a day does not always have 24 hours."""
        return _bounds_from(now.astimezone(zone).date(), zone)


@lru_cache(maxsize=1024)  # there are some 400 zones with two days each at any moment
def _bounds_from(day: date, zone: tzinfo) -> DayBounds:
    return DayBounds(
        start_of_day(day, zone),
        start_of_day(day + _DAY, zone),
        start_of_day(day + _DAY * 2, zone),
    )
