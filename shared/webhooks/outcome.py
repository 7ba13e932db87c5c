"""The decision after an attempt: delivered, tried again at a time, or given up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Literal

from shared.entropy import Entropy
from shared.webhooks.model import Attempt

MAX_RETRY_AFTER = timedelta(hours=10)
"""A receiver may ask for as long a pause as the longest of our own."""
JITTER_STEPS = 10_000
MAX_JITTER = 0.1
_ASKS_FOR_TIME = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a delivery after an attempt: `failed` is tried again, `dead` is not.

    `disables_endpoint`: the receiver wants no other message either.
    """

    status: Literal["delivered", "failed", "dead"]
    next_attempt_at: datetime | None = None
    disables_endpoint: bool = False


def decide_outcome(
    attempt: Attempt, number: int, delays: Sequence[timedelta], entropy: Entropy
) -> Outcome:
    """Return the outcome after the attempt of this `number`, the first one being 1.

    `delays`: the pause before each attempt, so they are as many as there are attempts. A pause is
    up to a tenth longer, so that what failed together is not tried again together.
    """
    if attempt.delivered:
        return Outcome("delivered")
    if attempt.endpoint_gone:
        return Outcome("dead", disables_endpoint=True)
    if number >= len(delays):
        return Outcome("dead")
    pause = max(delays[number], _asked_pause(attempt))
    jitter = MAX_JITTER * entropy.below(JITTER_STEPS) / JITTER_STEPS
    return Outcome("failed", attempt.ended_at + pause * (1 + jitter))


def parse_retry_after(text: str | None, now: datetime) -> float:
    """Return the seconds that a `Retry-After` header names, 0 for none, the past or anything else.

    Source: RFC 9110 §10.2.3.
    """
    value = (text or "").strip()
    if value.isascii() and value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (aware - now).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0


def _asked_pause(attempt: Attempt) -> timedelta:
    if attempt.status_code not in _ASKS_FOR_TIME:
        return timedelta()
    return timedelta(seconds=min(attempt.retry_after, MAX_RETRY_AFTER.total_seconds()))
