"""A feed as iCalendar, read by a parser that is not the library that writes it."""

import pytest
import vobject
from hypothesis import example, given
from hypothesis import strategies as st

from media_service.feed.vcalendar import write_calendar
from shared.text import to_single_line
from tests.support.calendars import CASES, ZONES, check_lines, expected, made, parse

EVENTS = [event for event, _ in CASES]


def test_calendar_is_read_as_it_was_meant() -> None:
    written = write_calendar(EVENTS, ZONES)
    assert parse(written) == expected()
    check_lines(written)


def test_calendar_says_how_often_to_look_again() -> None:
    lines = write_calendar(EVENTS, ZONES).decode().split("\r\n")
    assert {"REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H"} <= set(lines)
    assert not any(line.startswith("METHOD") for line in lines)


def test_calendar_day_is_a_date_and_time_is_in_utc() -> None:
    starts = [
        line
        for line in write_calendar(EVENTS, ZONES).decode().split("\r\n")
        if line.startswith("DTSTART")
    ]
    for line, (_, start) in zip(starts, CASES, strict=True):
        compact = start.replace("-", "").replace(":", "")
        form = "DTSTART:{}" if "T" in start else "DTSTART;VALUE=DATE:{}"
        assert line == form.format(compact)


def test_calendar_without_events_has_a_component() -> None:
    written = write_calendar([], {})
    check_lines(written)
    (zone,) = vobject.readOne(written.decode()).components()
    assert (zone.name, parse(written)) == ("VTIMEZONE", [])


@pytest.mark.parametrize("more", ["", "\r", "\n", "\r\n", "\r\n "])
@given(title=st.text(min_size=1))
@example(title="\\N\\n\\;,")
def test_calendar_any_title_stays_in_its_line(more: str, title: str) -> None:
    written = write_calendar([made(1, "UTC", "2027-01-01", title=f"x{more}{title}x")], ZONES)
    check_lines(written)
    (event,) = parse(written)
    assert event.summary == to_single_line(f"x{more}{title}x")
