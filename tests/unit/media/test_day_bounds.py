"""Today and tomorrow as instants, on days that have 23 and 25 hours too."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from media_service.schedule.model import DayBounds


@pytest.mark.parametrize(
    ("zone", "now", "today_hours", "tomorrow_hours"),
    [
        ("UTC", "2026-06-15T12:00:00", 24, 24),
        ("Europe/Berlin", "2026-03-29T12:00:00", 23, 24),
        ("Europe/Berlin", "2026-03-28T12:00:00", 24, 23),
        ("Europe/Berlin", "2026-10-25T12:00:00", 25, 24),
        ("America/Sao_Paulo", "2018-11-04T12:00:00", 23, 24),
        ("America/Sao_Paulo", "2018-02-17T12:00:00", 25, 24),
        ("America/Havana", "2025-11-02T12:00:00", 25, 24),
        ("Asia/Kolkata", "2026-10-25T12:00:00", 24, 24),
        ("Pacific/Kiritimati", "2026-06-15T12:00:00", 24, 24),
    ],
)
def test_day_bounds_follow_clock_changes(
    zone: str, now: str, today_hours: int, tomorrow_hours: int
) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    days = DayBounds.at(moment, ZoneInfo(zone))
    assert days.today <= moment < days.tomorrow
    assert days.tomorrow - days.today == timedelta(hours=today_hours)
    assert days.end - days.tomorrow == timedelta(hours=tomorrow_hours)
