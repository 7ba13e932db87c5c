"""The retry schedule, and how long a receiver may ask us to wait."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.entropy import SystemEntropy
from shared.webhooks.model import Attempt, AttemptError
from shared.webhooks.outcome import Outcome, decide_outcome, parse_retry_after
from shared.webhooks.settings import DEFAULT_ATTEMPTS, parse_delays

NOW = datetime(2026, 12, 24, 12, tzinfo=UTC)
DELAYS = parse_delays(DEFAULT_ATTEMPTS)


class ChosenEntropy(SystemEntropy):
    """Draws the lowest or the highest number."""

    def __init__(self, *, high: bool) -> None:
        self.high = high

    def below(self, bound: int) -> int:
        return bound - 1 if self.high else 0


LOW, HIGH = ChosenEntropy(high=False), ChosenEntropy(high=True)


def failed(status: int | None = 500, *, retry_after: float = 0, duration_ms: int = 0) -> Attempt:
    error: AttemptError | None = None if status else "timeout"
    return Attempt(NOW, duration_ms, status, error, retry_after=retry_after)


def pause(attempt: Attempt, number: int, entropy: ChosenEntropy = LOW) -> timedelta:
    outcome = decide_outcome(attempt, number, DELAYS, entropy)
    assert outcome.status == "failed"
    assert outcome.next_attempt_at is not None
    return outcome.next_attempt_at - attempt.ended_at


def test_schedule_has_8_attempts_within_about_28_hours() -> None:
    shortest, longest = (
        sum((pause(failed(), number, entropy) for number in range(1, 8)), timedelta())
        for entropy in (LOW, HIGH)
    )
    assert len(DELAYS) == 8
    assert timedelta(hours=27.5) < shortest < longest < timedelta(hours=30.5)
    assert decide_outcome(failed(), 8, DELAYS, LOW) == Outcome("dead")
    assert decide_outcome(failed(), 9, DELAYS, LOW) == Outcome("dead")


def test_schedule_pause_is_jittered_and_never_shorter() -> None:
    pauses = {pause(failed(), 2, entropy) for entropy in (LOW, HIGH)}
    assert min(pauses) == timedelta(minutes=5)
    assert timedelta(minutes=5.4) < max(pauses) < timedelta(minutes=5.5)


def test_schedule_pause_begins_when_the_attempt_has_ended() -> None:
    outcome = decide_outcome(failed(None, duration_ms=20_000), 1, DELAYS, LOW)
    assert outcome == Outcome("failed", NOW + timedelta(seconds=25))


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_outcome_success_is_delivered(status: int) -> None:
    assert decide_outcome(failed(status), 1, DELAYS, LOW) == Outcome("delivered")


def test_outcome_gone_is_dead_and_disables_the_endpoint() -> None:
    assert decide_outcome(failed(410), 1, DELAYS, LOW) == Outcome("dead", disables_endpoint=True)


@pytest.mark.parametrize("status", [None, 101, 301, 307, 400, 401, 404, 408, 429, 500, 503])
def test_outcome_any_other_answer_is_tried_again(status: int | None) -> None:
    assert pause(failed(status), 1) == timedelta(seconds=5)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_retry_after_slows_down_and_never_hurries(status: int) -> None:
    assert pause(failed(status, retry_after=60), 1) == timedelta(seconds=60)
    assert pause(failed(status, retry_after=60), 2) == timedelta(minutes=5)


@pytest.mark.parametrize("asked", [10 * 3600 + 1, 1e300, float("inf")])
def test_retry_after_is_bounded(asked: float) -> None:
    assert pause(failed(503, retry_after=asked), 1) == timedelta(hours=10)


@pytest.mark.parametrize("status", [301, 400, 404, 500])
def test_retry_after_of_another_status_is_ignored(status: int) -> None:
    assert pause(failed(status, retry_after=60), 1) == timedelta(seconds=5)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("120", 120),
        (" 120 ", 120),
        ("0", 0),
        ("-1", 0),
        ("1.5", 0),
        ("1e9", 0),
        ("١٢", 0),
        ("soon", 0),
        ("Thu, 24 Dec 2026 12:02:00 GMT", 120),
        ("Thu, 24 Dec 2026 12:02:00 -0000", 120),
        ("Thursday, 24-Dec-26 12:02:00 GMT", 120),
        ("Thu Dec 24 12:02:00 2026", 120),
        ("Thu, 24 Dec 2026 17:32:00 +0530", 120),
        ("Thu, 24 Dec 2026 11:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 251_604_273_539),
        ("Fri, 31 Dec 99999 23:59:59 GMT", 0),
        ("Fri, 31 Feb 2027 23:59:59 GMT", 0),
    ],
)
def test_retry_after_is_read_in_seconds_or_as_a_date(text: str | None, seconds: float) -> None:
    assert parse_retry_after(text, NOW) == seconds


def test_retry_after_of_too_many_digits_is_no_error() -> None:
    assert parse_retry_after("9" * 8000, NOW) == float("inf")


@given(st.text() | st.from_regex(r"[A-Za-z]{3}, \d+ [A-Za-z]{3} \d+ \d+:\d+:\d+ [+-]?\w+"))
def test_retry_after_of_any_text_is_no_error(text: str) -> None:
    assert parse_retry_after(text, NOW) >= 0
