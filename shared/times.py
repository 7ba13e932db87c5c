"""Times as forms, spreadsheets and programs write them. Source: RFC 3339, ISO 8601."""

import re
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time
from typing import Annotated

from pydantic import WithJsonSchema

from shared.text import BLANKS
from shared.validation import cleaned

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    rf"({_DAY.pattern})[Tt ]([0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:\.[0-9]{{1,9}})?)?)"
    r"(?: ?([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?))?"
)
_LOST_PLUS = re.compile(r"(:[0-9.]+) (?=[0-9]{2}(?::?[0-9]{2})?$)")
"""A `+` that was not escaped in a query: it arrives as a blank."""


def parse_time(text: str) -> date | datetime:
    """Return the day, the UTC instant or, without an offset, the naive local time in `text`.

    Raises:
        ValueError: it is none of them, or a leap second: neither Python nor PostgreSQL has those.
    """
    written = text.strip(BLANKS)
    try:
        if _DAY.fullmatch(written):
            return date.fromisoformat(written)
        if found := _TIME.fullmatch(written):
            day, clock, offset = found.groups(default="")
            moment = datetime.fromisoformat(f"{day}T{clock}{offset.upper()}")
            if offset:
                return moment.astimezone(UTC)
            if MINYEAR < moment.year < MAXYEAR:  # an instant in every zone
                return moment
    except (ValueError, OverflowError):
        pass
    raise ValueError("expected YYYY-MM-DD or a time as 2026-12-24T18:00:00+05:30")


def parse_instant(text: str) -> datetime:
    """Return the UTC instant in a query's `text`; a day is its start in UTC.

    Raises:
        ValueError: it is neither a day nor a time with offset.
    """
    found = parse_time(_LOST_PLUS.sub(r"\1+", text))
    if not isinstance(found, datetime):
        return datetime.combine(found, time(), UTC)
    if found.tzinfo is None:
        raise ValueError("a time needs its offset here: Z, or as +05:30")
    return found


QueryTime = Annotated[
    datetime, cleaned(parse_instant), WithJsonSchema({"type": "string", "maxLength": 40})
]
TIME_DESCRIPTION = "a day (its start in UTC) or a time with offset"
