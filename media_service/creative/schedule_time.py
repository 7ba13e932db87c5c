"""Scheduled days and times: parsing, and the instant at which a creative falls due."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TypeVar

from media_service.creative.errors import ScheduledInPast
from shared.errors import FieldError, ValidationFailed

YEARS_AHEAD = 2
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_SECOND = timedelta(seconds=1)
DayOrInstant = TypeVar("DayOrInstant", date, datetime)


def parse_schedule_time(text: str) -> date | datetime:
    """Return the day or the UTC instant that `text` denotes.

    A day is `YYYY-MM-DD`; a time is RFC 3339 with its offset. Leap seconds, which neither Python
    nor PostgreSQL can hold, are neither.

    Raises:
        ValueError: it is neither.
    """
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("expected YYYY-MM-DD or an RFC 3339 time with offset")


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """Return the first instant, in UTC, at which `zone` shows that day or, skipping it, a later.

    Where clocks jump over midnight the day starts at the jump; where midnight comes twice, the
    first one counts.
    """
    midnight = datetime.combine(day, time(), zone)
    before, after = midnight.astimezone(UTC), midnight.replace(fold=1).astimezone(UTC)
    if before <= after:
        return before
    early, late = after, before  # midnight is in a gap: the jump is somewhere between
    while late - early > _SECOND:
        middle = early + (late - early) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).date() < day:
            early = middle
        else:
            late = middle
    return late if early.astimezone(zone).date() < day else early


def resolve_due_at(when: date | datetime, zone: tzinfo, now: datetime) -> datetime:
    """Return the UTC instant at which a creative scheduled for `when` falls due.

    A day means its first instant in `zone`; today is fine although it has begun.

    Raises:
        ScheduledInPast: the day is before today there, or the time before `now`.
        ValidationFailed: it is more than `YEARS_AHEAD` years ahead.
    """
    today = now.astimezone(zone).date()
    if isinstance(when, datetime):
        past, far = when < now, when > _years_after(now)
    else:
        past, far = when < today, when > _years_after(today)
    if past:
        raise ScheduledInPast(None if isinstance(when, datetime) else f"The day is over in {zone}")
    if far:
        message = f"at most {YEARS_AHEAD} years ahead"
        raise ValidationFailed([FieldError("scheduled_at", "too_far_ahead", message)])
    return when if isinstance(when, datetime) else start_of_day(when, zone)


def _years_after(moment: DayOrInstant) -> DayOrInstant:
    """Return the same day `YEARS_AHEAD` years on; 29 February becomes 1 March."""
    try:
        return moment.replace(year=moment.year + YEARS_AHEAD)
    except ValueError:
        return moment.replace(year=moment.year + YEARS_AHEAD, month=3, day=1)
