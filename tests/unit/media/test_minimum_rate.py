"""The minimum rate: what waiting costs and what bytes earn."""

import pytest

from media_service.upload.model import MinimumRate, UploadLimits

LIMITS = UploadLimits(10_000_000)


def test_ten_seconds_to_begin_with() -> None:
    pace = MinimumRate(LIMITS)
    assert pace.remaining == 10
    pace.spend(9.5)
    assert pace.remaining == pytest.approx(0.5)
    pace.spend(1)
    assert pace.remaining == 0


def test_a_client_at_the_minimum_rate_may_go_on_for_ever() -> None:
    pace = MinimumRate(LIMITS)
    for _ in range(10_000):
        pace.spend(1)
        pace.earn(8192)
    assert pace.remaining == pytest.approx(10)


def test_a_client_below_it_is_out_of_patience_in_the_end() -> None:
    pace, seconds = MinimumRate(LIMITS), 0
    while pace.remaining:
        pace.spend(1)
        pace.earn(4096)
        seconds += 1
    assert seconds == 20


def test_earlier_speed_is_not_saved_up() -> None:
    pace = MinimumRate(LIMITS)
    pace.earn(9_000_000)
    assert pace.remaining == 10
