"""A user's share, and what is used of it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

LEASE = timedelta(seconds=150)
"""How long something under way is believed to be alive after it was last heard of."""

RENEW_SECONDS = 50
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What each user may store, in bytes, and send. A day is one in UTC."""

    stored_bytes: int
    uploads_per_day: int
    uploads_at_once: int


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload of a user's. `announced`: bytes that it will store at least, none on repetition.

    One that repeats another does not count for the day.
    """

    id: UUID
    user_id: UUID
    announced: int
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class CountedPicture:
    """What a picture takes of its owner's quota: the bytes of all its files."""

    id: UUID
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class Tally:
    """What a user's row says at a moment."""

    stored_bytes: int
    day: date
    uploads: int
    deleted: bool


def seconds_until_tomorrow(now: datetime) -> int:
    """Return how long the day in UTC lasts from `now` on, rounded up."""
    midnight = datetime.combine(now.date() + ONE_DAY, time(), UTC)
    return int((midnight - now).total_seconds()) + 1
