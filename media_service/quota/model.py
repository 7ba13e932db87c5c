"""The quota of a user, and how much of it is used."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

LEASE = timedelta(seconds=150)
"""How long an operation counts as running after its last heartbeat."""

RENEW_SECONDS = 50
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class QuotaLimits:
    """The limits of each user. A day is one in UTC."""

    stored_bytes: int
    uploads_per_day: int
    concurrent_uploads: int


@dataclass(frozen=True, slots=True)
class ActiveUpload:
    """One upload in progress. `declared_bytes`: what it stores at least; 0 for a replay.

    A replay, which repeats an earlier request, does not count for the day.
    """

    id: UUID
    user_id: UUID
    declared_bytes: int
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class PictureUsage:
    """The share of a picture in its owner's quota: the bytes of all its files."""

    id: UUID
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class Usage:
    """The bytes that a user has stored, and the number of uploads on `day`."""

    stored_bytes: int
    day: date
    uploads: int
    deleted: bool


def seconds_until_tomorrow(now: datetime) -> int:
    """Return how long the day in UTC lasts from `now` on, rounded up."""
    midnight = datetime.combine(now.date() + ONE_DAY, time(), UTC)
    return int((midnight - now).total_seconds()) + 1
