"""The minimum rate: what waiting costs and what bytes earn."""

import pytest

from media_service.upload.model import Pace, UploadLimits

LIMITS = UploadLimits(10_000_000)


def test_ten_seconds_to_begin_with() -> None:
    pace = Pace(LIMITS)
    assert pace.left == 10
    pace.waited(9.5)
    assert pace.left == pytest.approx(0.5)
    pace.waited(1)
    assert pace.left == 0


def test_a_client_at_the_minimum_rate_may_go_on_for_ever() -> None:
    pace = Pace(LIMITS)
    for _ in range(10_000):
        pace.waited(1)
        pace.received(8192)
    assert pace.left == pytest.approx(10)


def test_a_client_below_it_is_out_of_patience_in_the_end() -> None:
    pace, seconds = Pace(LIMITS), 0
    while pace.left:
        pace.waited(1)
        pace.received(4096)
        seconds += 1
    assert seconds == 20


def test_earlier_speed_is_not_saved_up() -> None:
    pace = Pace(LIMITS)
    pace.received(9_000_000)
    assert pace.left == 10
