"""The time budget of an upload: what waiting costs and what bytes earn."""

import pytest

from media_service.upload.body import UploadLimits, UploadTimeBudget

LIMITS = UploadLimits(10_000_000)


def test_upload_that_stalls_for_half_a_minute_passes() -> None:
    budget = UploadTimeBudget(LIMITS)
    assert budget.remaining == 30
    budget.spend(29.5)
    assert budget.remaining == pytest.approx(0.5)
    budget.spend(1)
    assert budget.remaining == 0


def test_time_budget_at_the_minimum_rate_never_ends() -> None:
    budget = UploadTimeBudget(LIMITS)
    for _ in range(10_000):
        budget.spend(1)
        budget.earn(8192)
    assert budget.remaining == pytest.approx(30)


def test_time_budget_below_the_minimum_rate_ends() -> None:
    budget, seconds = UploadTimeBudget(LIMITS), 0
    while budget.remaining:
        budget.spend(1)
        budget.earn(4096)
        seconds += 1
    assert seconds == 60


def test_time_budget_earlier_speed_is_not_saved_up() -> None:
    budget = UploadTimeBudget(LIMITS)
    budget.earn(9_000_000)
    assert budget.remaining == 30
