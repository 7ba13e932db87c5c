"""The instant at which a creative falls due: of a day, a local time, an instant, or now."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal, TypeVar

from media_service.creative.errors import ScheduledInPast
from shared.errors import FieldError, ValidationFailed
from shared.times import parse_time

YEARS_AHEAD = 2
NOW_TOLERANCE = timedelta(seconds=60)
"""A request takes its time, and clients' clocks are slow."""

NOW: Literal["now"] = "now"
_SECOND = timedelta(seconds=1)
DayOrInstant = TypeVar("DayOrInstant", date, datetime)
RequestedTime = date | datetime | Literal["now"]
"""A datetime is in UTC, or naive: then it is local time in the creative's zone."""


def parse_schedule_time(text: str) -> RequestedTime:
    """Return the day or time that `text` denotes.

    Raises:
        ValueError: it is neither.
    """
    return NOW if text.strip().lower() == NOW else parse_time(text)


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """Return the first UTC instant of that day in `zone`, or of the next if it skips the day."""
    return resolve_local_time(datetime.combine(day, time()), zone)


def resolve_local_time(local: datetime, zone: tzinfo) -> datetime:
    """Return the first instant, in UTC, at which clocks in `zone` show `local` or a later time.

    Where clocks jump over `local`, that is the jump. Where they show it twice, the first counts.
    """
    there = local.replace(tzinfo=zone)
    before, after = there.astimezone(UTC), there.replace(fold=1).astimezone(UTC)
    if before <= after:
        return before
    local = local.replace(microsecond=0)  # clocks jump at whole seconds, of which one is searched
    early, late = after.replace(microsecond=0), before.replace(microsecond=0)
    while late - early > _SECOND:
        middle = early + (late - early) // _SECOND // 2 * _SECOND
        if _local_time(middle, zone) < local:
            early = middle
        else:
            late = middle
    return late if _local_time(early, zone) < local else early


def _local_time(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def day_of(when: RequestedTime) -> date | None:
    """Return the day that was given, None for a time."""
    return when if isinstance(when, date) and not isinstance(when, datetime) else None


def resolve_due_at(when: RequestedTime, zone: tzinfo, now: datetime) -> datetime:
    """Return the UTC instant at which a creative scheduled for `when` falls due.

    A day means its first instant in `zone`; today is fine although it has begun. A time that has
    just passed is now.

    Raises:
        ScheduledInPast: the day is before today there, or the time over a minute before `now`.
        ValidationFailed: it is more than `YEARS_AHEAD` years ahead.
    """
    if isinstance(when, str):
        return now
    if isinstance(when, datetime):
        due = when if when.tzinfo else resolve_local_time(when, zone)
        past, far = due < now - NOW_TOLERANCE, due > _years_after(now)
        _require_range(None, past=past, far=far)
        return max(due, now)
    today = now.astimezone(zone).date()
    _require_range(f"The day is over in {zone}", past=when < today, far=when > _years_after(today))
    return start_of_day(when, zone)


def _require_range(detail: str | None, *, past: bool, far: bool) -> None:
    if past:
        raise ScheduledInPast(detail)
    if far:
        message = f"at most {YEARS_AHEAD} years ahead"
        raise ValidationFailed([FieldError("scheduled_at", "too_far_ahead", message)])


def _years_after(moment: DayOrInstant) -> DayOrInstant:
    """Return the same day `YEARS_AHEAD` years on; 29 February becomes 1 March."""
    try:
        return moment.replace(year=moment.year + YEARS_AHEAD)
    except ValueError:
        return moment.replace(year=moment.year + YEARS_AHEAD, month=3, day=1)
