"""Calendars to write, and what a parser that did not write them finds."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import vobject

from media_service.creative.model import Status
from media_service.creative.schedule_time import resolve_local_time, start_of_day
from media_service.feed.model import FeedEvent
from shared.times import parse_time

CREATED = datetime(2026, 12, 1, 8, 30, 15, tzinfo=UTC)
HOSTILE = 'a, b; c:d "e" \\n \\\\ \\, \r\nEND:VEVENT\nATTACH:x\x00\x07\x1b\x85\u2028 ' + "ü🎉" * 60
SHOWN_HOSTILE = (
    'a, b; c:d "e" \\n \\\\ \\,   END:VEVENT ATTACH:x      '
    + "ü🎉" * 60  # a blank for each control
)


@dataclass(frozen=True)
class Parsed:
    """An event as its reader sees it; times as RFC 3339 in UTC, a day as its date."""

    uid: str
    start: str
    summary: str
    status: str
    sequence: int
    changed: str
    stamp: str
    description: str


def made(number: int, zone: str, when: str, **fields: Any) -> FeedEvent:
    """What a feed shows of a creative that was scheduled for a day, or a local time, in `zone`."""
    given = parse_time(when)
    day = None if isinstance(given, datetime) else given
    there = ZoneInfo(zone)
    due = (
        resolve_local_time(given, there)
        if isinstance(given, datetime)
        else start_of_day(given, there)
    )
    event = FeedEvent(
        id=UUID(int=number),
        title=f"{zone} {when}",
        due_at=due,
        due_day=day,
        timezone=zone,
        status=Status.SCHEDULED,
        created_at=CREATED,
        updated_at=CREATED,
        version=1,
    )
    return replace(event, **fields)


CHANGED = CREATED + timedelta(days=2, microseconds=999_999)
CASES: list[tuple[FeedEvent, str]] = [
    (made(1, "UTC", "2027-01-31"), "2027-01-31"),
    (made(2, "Pacific/Kiritimati", "2027-01-01"), "2027-01-01"),
    (made(3, "Pacific/Pago_Pago", "2027-12-31"), "2027-12-31"),
    (made(4, "Europe/Berlin", "2027-03-28"), "2027-03-28"),  # it has 23 hours
    (made(5, "Europe/Berlin", "2027-10-31"), "2027-10-31"),  # it has 25
    (made(6, "Africa/Cairo", "2027-04-30"), "2027-04-30"),  # it begins at 1 o'clock
    (made(7, "Pacific/Apia", "2011-12-30"), "2011-12-30"),  # it never was
    (made(8, "Africa/Cairo", "2027-04-30T00:00"), "2027-04-29T22:00:00Z"),
    (made(9, "Europe/Berlin", "2027-03-28T02:30"), "2027-03-28T01:00:00Z"),
    (made(10, "Europe/Berlin", "2027-10-31T02:30"), "2027-10-31T00:30:00Z"),
    (made(11, "Australia/Lord_Howe", "2027-04-04T01:45"), "2027-04-03T14:45:00Z"),
    (made(12, "Asia/Kolkata", "2027-05-01T00:00"), "2027-04-30T18:30:00Z"),
    (
        made(13, "America/New_York", "2027-11-07T01:59:59.999999"),
        "2027-11-07T05:59:59Z",
    ),
    # A day, and then another zone alone: the instant stayed.
    (made(14, "Asia/Tokyo", "2027-06-01", timezone="Europe/Berlin"), "2027-05-31T15:00:00Z"),
    (made(15, "UTC", "2027-06-02", timezone="Mars/Olympus"), "2027-06-02T00:00:00Z"),
    (made(16, "UTC", "2027-06-03", status=Status.PUBLISHED, version=2), "2027-06-03"),
    (made(17, "UTC", "2027-06-04", status=Status.FAILED, version=3), "2027-06-04"),
    (
        made(18, "UTC", "2027-06-05", status=Status.CANCELLED, version=41, updated_at=CHANGED),
        "2027-06-05",
    ),
    (made(19, "UTC", "2027-06-06", title=HOSTILE), "2027-06-06"),
]
"""What is shown, and when a calendar has to say that it begins."""

ZONES = {
    event.timezone: ZoneInfo(event.timezone)
    for event, _ in CASES
    if event.timezone != "Mars/Olympus"
}


def expected() -> list[Parsed]:
    """What every parser has to find in the calendar of `CASES`."""
    return [
        Parsed(
            uid=str(event.id),
            start=start,
            summary=SHOWN_HOSTILE if event.title == HOSTILE else event.title,
            status="CANCELLED" if event.status is Status.CANCELLED else "CONFIRMED",
            sequence=event.version - 1,
            changed=show(event.updated_at),
            stamp=show(event.updated_at),
            description=f"Status: {event.status}",
        )
        for event, start in CASES
    ]


def show(moment: date | datetime) -> str:
    if not isinstance(moment, datetime):
        return moment.isoformat()
    assert moment.utcoffset() == timedelta(), moment
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def parse(calendar: bytes) -> list[Parsed]:
    """What vobject finds, in the calendar's order."""
    found = vobject.readOne(calendar.decode())
    assert found.name == "VCALENDAR"
    assert found.version.value == "2.0"
    return [
        Parsed(
            uid=event.uid.value,
            start=show(event.dtstart.value),
            summary=event.summary.value,
            status=event.status.value,
            sequence=int(event.sequence.value),
            changed=show(event.last_modified.value),
            stamp=show(event.dtstamp.value),
            description=event.description.value,
        )
        for event in found.contents.get("vevent", [])
    ]


def check_lines(calendar: bytes) -> None:
    """Require what RFC 5545 §3.1 does of lines, and no control but CR LF and folds."""
    assert calendar.endswith(b"\r\n")
    lines = calendar.split(b"\r\n")[:-1]
    assert max(map(len, lines)) <= 75
    for line in lines:
        assert not re.search("[\x00-\x08\x0a-\x1f\x7f-\x9f]", line.decode()), line
