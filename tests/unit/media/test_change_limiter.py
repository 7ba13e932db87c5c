"""The counter of changes: an exact sliding window for each user, bounded in memory."""

import random
from uuid import UUID, uuid4

import pytest

from media_service.identity import change_limiter
from media_service.identity.change_limiter import ChangeLimiter
from shared.clock import SystemClock
from shared.errors import RateLimited
from shared.limits import Rate

RATES = (Rate(3, 10_000), Rate(5, 60_000))


class ManualClock(SystemClock):
    """A clock that stands still between two steps of a test."""

    seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def manual_clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def limiter(manual_clock: ManualClock) -> ChangeLimiter:
    return ChangeLimiter(RATES, manual_clock)


def accepts(limiter: ChangeLimiter, user: UUID) -> bool:
    try:
        limiter.count(user)
    except RateLimited:
        return False
    return True


def retry_after(limiter: ChangeLimiter, user: UUID) -> int:
    with pytest.raises(RateLimited) as refused:
        limiter.count(user)
    return refused.value.retry_after


def test_limiter_retry_after_is_enough_and_a_second_less_is_not(
    limiter: ChangeLimiter, manual_clock: ManualClock
) -> None:
    user = uuid4()
    for _ in range(3):
        limiter.count(user)
        manual_clock.seconds += 1
    assert retry_after(limiter, user) == 7
    manual_clock.seconds += 6
    assert retry_after(limiter, user) == 1
    manual_clock.seconds += 0.5
    assert retry_after(limiter, user) == 1
    manual_clock.seconds += 0.5
    assert accepts(limiter, user)


def test_limiter_two_rates_full_names_the_longer_wait(
    limiter: ChangeLimiter, manual_clock: ManualClock
) -> None:
    user = uuid4()
    accepted = []
    for _ in range(12):
        accepted.append(accepts(limiter, user))
        manual_clock.seconds += 4
    assert accepted.count(True) == 5
    assert retry_after(limiter, user) == 12


def test_limiter_refusal_counts_nothing(limiter: ChangeLimiter, manual_clock: ManualClock) -> None:
    user = uuid4()
    assert [accepts(limiter, user) for _ in range(100)] == [True] * 3 + [False] * 97
    manual_clock.seconds += 10
    assert accepts(limiter, user)


def test_limiter_full_user_leaves_others_their_room(limiter: ChangeLimiter) -> None:
    user, other = uuid4(), uuid4()
    assert [accepts(limiter, user) for _ in range(4)] == [True] * 3 + [False]
    assert [accepts(limiter, other) for _ in range(4)] == [True] * 3 + [False]


@pytest.mark.parametrize("seed", range(20))
def test_limiter_random_moments_agrees_with_counting_all(seed: int) -> None:
    """No span of a window's length ever holds more than the rate allows, and none is wasted."""
    chance, clock = random.Random(seed), ManualClock()  # noqa: S311 - not for secrets
    limiter, user = ChangeLimiter(RATES, clock), uuid4()
    counted: list[float] = []
    for _ in range(500):
        clock.seconds += chance.choice([0, 0.25, 1, 5, 30])
        has_room = all(
            sum(moment > clock.seconds - rate.window_ms / 1000 for moment in counted)
            < rate.max_events
            for rate in RATES
        )
        assert accepts(limiter, user) is has_room
        if has_room:
            counted.append(clock.seconds)


def test_limiter_many_users_keeps_the_bound(
    manual_clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_limiter, "MAX_USERS", 5)
    limiter, active = ChangeLimiter((Rate(1, 60_000),), manual_clock), uuid4()
    limiter.count(active)
    for _ in range(100):
        limiter.count(uuid4())
        assert not accepts(limiter, active), "a user who keeps trying is not forgotten"
        assert len(limiter._moments) <= 5


def test_limiter_users_whose_changes_are_old_are_dropped(
    limiter: ChangeLimiter, manual_clock: ManualClock
) -> None:
    for _ in range(50):
        limiter.count(uuid4())
    assert len(limiter._moments) == 50
    manual_clock.seconds += 60
    limiter.count(uuid4())
    assert len(limiter._moments) == 1


def test_limiter_long_use_keeps_no_more_moments_than_the_largest_rate(
    limiter: ChangeLimiter, manual_clock: ManualClock
) -> None:
    user = uuid4()
    for _ in range(100):
        limiter.count(user)
        manual_clock.seconds += 60
    assert len(limiter._moments[user]) == 5


def test_limiter_without_rates_keeps_nothing(manual_clock: ManualClock) -> None:
    limiter = ChangeLimiter((), manual_clock)
    assert all(accepts(limiter, uuid4()) for _ in range(100))
    assert not limiter._moments
