"""Writes a feed as an iCalendar object. Source: RFC 5545, RFC 7986."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo

from icalendar import Calendar, Event, Timezone, TimezoneStandard, vDuration, vText

from media_service.creative.model import Status
from media_service.creative.schedule_time import start_of_day
from media_service.feed.model import FeedEvent
from shared.text import to_single_line

NAME = "Cheershare"
REFRESH_INTERVAL = timedelta(hours=1)
Zones = Mapping[str, tzinfo]


class _Line(vText):
    r"""A text without line breaks. The library would make one of a `\N` that the user has typed."""

    def to_ical(self) -> bytes:
        r"""Return it with a backslash before each backslash, semicolon and comma (§3.3.11)."""
        return re.sub(r"([\\;,])", r"\\\1", self).encode()


def write_calendar(events: Sequence[FeedEvent], zones: Zones) -> bytes:
    """Return the calendar of these events.

    Times are in UTC, which every program shows in its user's zone, and which needs no VTIMEZONE.
    There is no METHOD: with it, DTSTAMP would differ from one answer to the next (§3.8.7.2).
    """
    calendar = Calendar()
    calendar.add("prodid", f"-//{NAME}//media_service//EN")
    calendar.add("version", "2.0")
    calendar.add("name", NAME)
    calendar.add("x-wr-calname", NAME)  # for programs older than RFC 7986
    calendar.add("refresh-interval", REFRESH_INTERVAL, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH_INTERVAL))  # likewise
    for event in events:
        calendar.add_component(_write_event(event, zones))
    if not events:
        calendar.add_component(_write_utc())  # a calendar has at least one component (§3.4)
    written: bytes = calendar.to_ical()
    return written


def _write_event(shown: FeedEvent, zones: Zones) -> Event:
    event = Event()
    event.add("uid", str(shown.id))
    event.add("sequence", shown.version - 1)
    event.add("dtstamp", shown.updated_at)
    event.add("created", shown.created_at)
    event.add("last-modified", shown.updated_at)
    event.add("dtstart", _start(shown, zones))
    event.add("summary", _Line(to_single_line(shown.title)))
    event.add("description", f"Status: {shown.status}")
    event.add("status", "CANCELLED" if shown.status is Status.CANCELLED else "CONFIRMED")
    event.add("transp", "TRANSPARENT")  # it takes none of its user's time
    return event


def _start(shown: FeedEvent, zones: Zones) -> date | datetime:
    """Return the day that was given, where `due_at` still is its start; else `due_at`.

    It is not after the zone alone was changed, or the zone's rules.
    """
    day, zone = shown.due_day, zones.get(shown.timezone)
    is_day = day and zone and start_of_day(day, zone) == shown.due_at
    return day if day and is_day else shown.due_at.astimezone(UTC)


def _write_utc() -> Timezone:
    zone, standard = Timezone(), TimezoneStandard()
    zone.add("tzid", "UTC")
    standard.add("dtstart", datetime(1970, 1, 1))  # noqa: DTZ001 - local time, as §3.6.5 demands
    standard.add("tzoffsetfrom", timedelta())
    standard.add("tzoffsetto", timedelta())
    zone.add_component(standard)
    return zone
