"""Days and times in zones: the far ends of the world, and midnights that do not exist."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_service.creative.errors import ScheduledInPast
from media_service.creative.schedule_time import (
    parse_schedule_time,
    resolve_due_at,
    resolve_local_time,
    start_of_day,
)
from shared.errors import ValidationFailed

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
TIMEZONES = sorted(available_timezones())


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("UTC", "2026-06-15", "2026-06-15T00:00:00"),
        ("Pacific/Kiritimati", "2026-06-16", "2026-06-15T10:00:00"),
        ("Pacific/Pago_Pago", "2026-06-15", "2026-06-15T11:00:00"),
        ("Asia/Kolkata", "2026-06-15", "2026-06-14T18:30:00"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00"),
        ("America/Sao_Paulo", "2018-11-03", "2018-11-03T03:00:00"),
        ("America/Sao_Paulo", "2018-11-05", "2018-11-05T02:00:00"),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00"),
        ("Europe/Berlin", "2026-03-30", "2026-03-29T22:00:00"),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00"),
        ("Europe/Berlin", "2026-10-26", "2026-10-25T23:00:00"),
        ("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00"),
        ("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00"),
        ("Pacific/Apia", "2019-12-25", "2019-12-24T10:00:00"),
        ("Asia/Beirut", "2022-03-27", "2022-03-26T22:00:00"),
        ("America/Havana", "2025-11-02", "2025-11-02T04:00:00"),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00"),
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30:00"),
    ],
)
def test_start_of_day_is_its_first_instant(zone: str, day: str, expected: str) -> None:
    assert start_of_day(date.fromisoformat(day), ZoneInfo(zone)) == utc(expected)


@given(st.dates(date(1975, 1, 2), date(2036, 12, 30)), st.sampled_from(TIMEZONES))
def test_start_of_day_second_before_is_an_earlier_day(day: date, name: str) -> None:
    zone = ZoneInfo(name)
    start = start_of_day(day, zone)
    assert start.astimezone(zone).date() >= day
    assert (start - timedelta(seconds=1)).astimezone(zone).date() < day


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-24", date(2026, 12, 24)),
        ("2026-12-24T18:00:00Z", utc("2026-12-24T18:00:00")),
        ("2026-12-24t18:00:00.25z", utc("2026-12-24T18:00:00.25")),
        ("2026-12-24T18:00:00+05:30", utc("2026-12-24T12:30:00")),
        ("2026-12-24T18:00:00-11:00", utc("2026-12-25T05:00:00")),
        ("2026-12-24T18:00:00.123456789Z", utc("2026-12-24T18:00:00.123456")),
        ("2026-12-24T18:00Z", utc("2026-12-24T18:00:00")),
        ("2026-12-24T18:00:00+0530", utc("2026-12-24T12:30:00")),
        ("2026-12-24 18:00:00+00", utc("2026-12-24T18:00:00")),
        ("2026-12-24 18:00:00 -0330", utc("2026-12-24T21:30:00")),
        ("2026-12-24T18:00", datetime.fromisoformat("2026-12-24T18:00")),
        ("2026-12-24 18:00:00.5", datetime.fromisoformat("2026-12-24T18:00:00.5")),
        ("2026-12-24\n", date(2026, 12, 24)),
        ("now", "now"),
        (" Now ", "now"),
    ],
)
def test_schedule_time_of_day_or_rfc_3339_is_parsed(text: str, expected: date | str) -> None:
    assert parse_schedule_time(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-12-24T18",
        "2026-12-24T1800Z",
        "2026-12-24T18:00 05:30",  # perhaps a plus that was lost, perhaps a typing error
        "2026-12-24T18:00:00+5:30",
        "0001-01-01T00:00",
        "9999-12-31T23:59",
        "today",
        "2026-02-30",
        "2026-13-01",
        "2026-12-24T24:00:01Z",
        "2026-12-24T23:59:60Z",
        "20261224",
        "2026-W52-4",
        "2026-12-24\0",
        "٢٠٢٦-12-24",
        "0000-01-01",
        "0001-01-01T00:00:00+14:00",
        "2026-12-24T18:00:00+25:00",
        "1e9",
    ],
)
def test_schedule_time_in_another_format_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected YYYY-MM-DD or a time as 2026"):
        parse_schedule_time(text)


@given(st.text(max_size=40))
def test_schedule_time_of_any_text_never_crashes(text: str) -> None:
    try:
        assert isinstance(parse_schedule_time(text), date | str)
    except ValueError as refused:
        assert str(refused).startswith("expected YYYY-MM-DD")  # noqa: PT017 - most texts are none


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC", "Asia/Kolkata"])
def test_due_at_today_is_accepted_and_yesterday_refused(zone: str) -> None:
    place = ZoneInfo(zone)
    today = NOON.astimezone(place).date()
    assert resolve_due_at(today, place, NOON) == start_of_day(today, place) <= NOON
    with pytest.raises(ScheduledInPast, match=f"^The day is over in {zone}$"):
        resolve_due_at(today - timedelta(days=1), place, NOON)


def test_due_at_today_depends_on_the_timezone() -> None:
    moment = utc("2026-06-15T10:30:00")
    east, west = ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")
    assert resolve_due_at(date(2026, 6, 14), west, moment) == utc("2026-06-14T11:00:00")
    with pytest.raises(ScheduledInPast):
        resolve_due_at(date(2026, 6, 15), east, moment)


def test_due_at_up_to_a_minute_past_is_now_and_older_is_refused() -> None:
    zone, minute = ZoneInfo("UTC"), timedelta(seconds=60)
    for now_or_just_past in (NOON, NOON - timedelta(microseconds=1), NOON - minute):
        assert resolve_due_at(now_or_just_past, zone, NOON) == NOON
    assert resolve_due_at("now", zone, NOON) == NOON
    with pytest.raises(ScheduledInPast, match=r"^The scheduled time is in the past$"):
        resolve_due_at(NOON - minute - timedelta(microseconds=1), zone, NOON)


@pytest.mark.parametrize(
    ("zone", "local", "expected"),
    [
        ("Asia/Kolkata", "2026-12-01T10:00", "2026-12-01T04:30:00"),
        ("America/New_York", "2026-12-01T10:00:00.25", "2026-12-01T15:00:00.25"),
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30:00"),  # it comes twice
        ("Europe/Berlin", "2027-03-28T02:30", "2027-03-28T01:00:00"),  # clocks jump over it
        ("Europe/Berlin", "2027-03-28T02:00:00.25", "2027-03-28T01:00:00"),
        ("Europe/Berlin", "2027-03-28T02:59:59.999999", "2027-03-28T01:00:00"),
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30:00"),
    ],
)
def test_due_at_time_without_offset_is_local(zone: str, local: str, expected: str) -> None:
    when = parse_schedule_time(local)
    assert resolve_due_at(when, ZoneInfo(zone), NOON) == utc(expected)


@given(
    st.datetimes(datetime(1975, 1, 2), datetime(2036, 12, 30)),  # noqa: DTZ001 - they are local
    st.sampled_from(TIMEZONES),
)
def test_local_time_resolves_to_its_first_instant_or_later(local: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    due = resolve_local_time(local, zone)
    second = timedelta(seconds=1)
    assert due.astimezone(zone).replace(tzinfo=None) >= local
    assert (due - second).astimezone(zone).replace(tzinfo=None) < local


@given(st.datetimes(), st.sampled_from(TIMEZONES))
def test_due_at_of_any_local_time_is_resolved_or_refused(local: datetime, name: str) -> None:
    try:
        assert resolve_due_at(parse_schedule_time(local.isoformat()), ZoneInfo(name), NOON) >= NOON
    except (ValueError, ScheduledInPast, ValidationFailed) as refused:
        assert str(refused)  # noqa: PT017 - most times are far away


def test_due_at_beyond_two_years_is_too_far_ahead() -> None:
    zone = ZoneInfo("UTC")
    assert resolve_due_at(date(2028, 6, 15), zone, NOON) == utc("2028-06-15T00:00:00")
    assert resolve_due_at(NOON.replace(year=2028), zone, NOON) == NOON.replace(year=2028)
    for late in (date(2028, 6, 16), NOON.replace(year=2028, second=1)):
        with pytest.raises(ValidationFailed) as refused:
            resolve_due_at(late, zone, NOON)
        assert [e.code for e in refused.value.errors] == ["too_far_ahead"]


def test_due_at_two_years_after_leap_day_is_accepted() -> None:
    leap = datetime(2028, 2, 29, 12, tzinfo=UTC)
    zone = ZoneInfo("UTC")
    assert resolve_due_at(date(2030, 3, 1), zone, leap) == utc("2030-03-01T00:00:00")
    with pytest.raises(ValidationFailed):
        resolve_due_at(date(2030, 3, 2), zone, leap)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2036, 1, 1)),  # noqa: DTZ001 - made aware below
    st.integers(-3, 900),
    st.sampled_from(TIMEZONES),
)
def test_due_at_accepts_exactly_today_to_two_years_ahead(
    moment: datetime, days: int, name: str
) -> None:
    now, zone = moment.replace(tzinfo=UTC), ZoneInfo(name)
    day = now.astimezone(zone).date() + timedelta(days=days)
    try:
        due = resolve_due_at(day, zone, now)
    except ScheduledInPast:
        assert days < 0
    except ValidationFailed:
        assert days >= 730
    else:
        assert 0 <= days <= 731
        assert due == start_of_day(day, zone)
