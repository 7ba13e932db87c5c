"""Times in queries, where a plus may have become a blank."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.times import parse_instant


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-01", "2026-12-01T00:00:00"),
        ("2026-12-01T10:00:00 05:30", "2026-12-01T04:30:00"),
        ("2026-12-01T10:00 0530", "2026-12-01T04:30:00"),
        ("2026-12-01 10:00:00.5 05", "2026-12-01T05:00:00.5"),
        ("2026-12-01T10:00-08", "2026-12-01T18:00:00"),
    ],
)
def test_instant_of_day_or_time_is_parsed(text: str, expected: str) -> None:
    assert parse_instant(text) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@given(
    st.datetimes(
        datetime(1900, 1, 1),  # noqa: DTZ001 - made aware by the zones
        datetime(2100, 1, 1),  # noqa: DTZ001
        timezones=st.timezones(),
    )
)
def test_instant_with_lost_plus_is_parsed(moment: datetime) -> None:
    offset = moment.utcoffset()
    if offset is not None and not offset.seconds % 60:
        assert parse_instant(moment.isoformat().replace("+", " ")) == moment.astimezone(UTC)


@pytest.mark.parametrize("text", ["2026-12-01T10:00", "2026-12-01 10:00:00.5"])
def test_instant_without_offset_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a time needs its offset here"):
        parse_instant(text)


@pytest.mark.parametrize("text", ["now", "2026-12-01 05:30:00 2", "12:00", "1e9", ""])
def test_instant_in_another_format_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected YYYY-MM-DD or a time as"):
        parse_instant(text)
