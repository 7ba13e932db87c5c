"""The cache: what it refuses, for how long, and what it does when it is not sure."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ServiceUnavailable, TokenRevoked
from shared.revocation.cache import RevocationCache
from shared.revocation.message import Kind, Revocation
from shared.tokens import Claims
from tests.support.clock import MovableClock

USER, SESSION = uuid4(), uuid4()


def claims(sub: UUID = USER, sid: UUID = SESSION, jti: str = "j", gen: int = 3) -> Claims:
    return Claims(sub, sid, jti, gen, 0, 0, 0, 0, (), ())


def in_touch(clock: MovableClock, **options: Any) -> RevocationCache:
    cache = RevocationCache(clock, **options)
    cache.mark_fresh(clock.monotonic())
    return cache


def dead(
    kind: Kind, id_: object, clock: MovableClock, generation: int | None = None, left: float = 600
) -> Revocation:
    expires_at = clock.now() + timedelta(seconds=left)
    return Revocation(kind, str(id_), "logout", expires_at, generation)


def refuses(cache: RevocationCache, token: Claims) -> bool:
    try:
        cache.check(token)
    except TokenRevoked:
        return True
    return False


def test_a_token_is_refused_by_its_session_itself_or_its_users_generation() -> None:
    clock = MovableClock()
    for revoked in (
        dead("session", SESSION, clock),
        dead("token", "j", clock),
        dead("user", USER, clock, 4),
    ):
        cache = in_touch(clock)
        assert not refuses(cache, claims())
        cache.add([revoked])
        assert refuses(cache, claims())


def test_nobody_elses_token_is_refused() -> None:
    clock = MovableClock()
    cache = in_touch(clock)
    cache.add([dead("session", uuid4(), clock), dead("token", "k", clock)])
    cache.add([dead("user", uuid4(), clock, 9)])
    # what is revoked as one kind is not revoked as another
    cache.add([dead("token", SESSION, clock), dead("session", "j", clock)])
    assert not refuses(cache, claims())


def test_a_user_revocation_spares_tokens_of_its_own_generation_and_later_ones() -> None:
    clock = MovableClock()
    cache = in_touch(clock)
    cache.add([dead("user", USER, clock, 3)])
    assert [refuses(cache, claims(gen=gen)) for gen in (2, 3, 4)] == [True, False, False]


@given(st.permutations([1, 2, 3, 4, 5]))
def test_the_highest_generation_wins_in_any_order(order: list[int]) -> None:
    clock = MovableClock()
    cache = in_touch(clock)
    for generation in order:
        cache.add([dead("user", USER, clock, generation)])
    assert [refuses(cache, claims(gen=gen)) for gen in (4, 5)] == [True, False]


def test_applying_twice_changes_nothing() -> None:
    clock = MovableClock()
    cache = in_touch(clock)
    revoked = [dead("session", SESSION, clock), dead("user", USER, clock, 4)]
    cache.add(revoked)
    cache.add(revoked)
    assert len(cache) == 2


@pytest.mark.parametrize("kind", ["session", "token", "user"])
def test_an_entry_leaves_a_quarter_of_an_hour_after_its_tokens_have_expired(kind: Kind) -> None:
    clock = MovableClock()
    cache = in_touch(clock)
    cache.add([dead(kind, "x", clock, 1 if kind == "user" else None)])
    clock.advance(seconds=600 + 15 * 60 - 5)
    cache.remove_expired()
    assert len(cache) == 1
    clock.advance(seconds=10)
    cache.remove_expired()
    assert len(cache) == 0


@pytest.mark.parametrize("kind", ["session", "token", "user"])
def test_of_two_ends_of_one_entry_the_later_one_counts(kind: Kind) -> None:
    clock = MovableClock()
    generation = 1 if kind == "user" else None
    for ends in ([60, 6000], [6000, 60]):
        cache = in_touch(clock)
        cache.add([dead(kind, "x", clock, generation, left=left) for left in ends])
        clock.advance(seconds=60 + 16 * 60)
        cache.remove_expired()
        assert len(cache) == 1


def test_a_clock_that_steps_revives_nothing() -> None:
    clock = MovableClock()
    cache = in_touch(clock)
    cache.add([dead("session", SESSION, clock, left=60)])
    for step in (300, -600, 300):  # five minutes ahead, five behind, right again
        clock.advance(seconds=step)
        cache.remove_expired()
        assert refuses(cache, claims())


def test_a_new_mirror_is_sure_of_nothing() -> None:
    cache = RevocationCache(MovableClock())
    assert not cache.is_fresh
    assert cache.staleness == float("inf")
    with pytest.raises(ServiceUnavailable) as refused:
        cache.check(claims())
    assert refused.value.headers() == {"Retry-After": "1"}


def test_out_of_touch_for_longer_than_the_bound_nothing_is_sure() -> None:
    clock = MovableClock()
    cache = in_touch(clock, max_staleness=3)
    clock.advance(seconds=2.9)
    cache.check(claims())
    clock.advance(seconds=0.2)
    assert not cache.is_fresh
    with pytest.raises(ServiceUnavailable):
        cache.check(claims())
    cache.mark_fresh(clock.monotonic())
    cache.check(claims())


def test_touch_counts_from_the_question_and_never_goes_back() -> None:
    clock = MovableClock()
    cache = RevocationCache(clock)
    asked_at = clock.monotonic()
    clock.advance(seconds=2)
    cache.mark_fresh(asked_at)
    assert 2 <= cache.staleness < 2.5
    cache.mark_fresh(asked_at - 1)  # an answer that was overtaken
    assert 2 <= cache.staleness < 2.5


def test_a_revoked_token_is_refused_as_revoked_also_when_out_of_touch() -> None:
    clock = MovableClock()
    cache = RevocationCache(clock)
    cache.add([dead("session", SESSION, clock)])
    assert refuses(cache, claims())


def test_fail_open_goes_on_with_what_it_knew() -> None:
    clock = MovableClock()
    cache = RevocationCache(clock, fail_open=True)
    cache.check(claims())
    cache.add([dead("session", SESSION, clock)])
    assert refuses(cache, claims())
    cache.check(claims(sid=uuid4()))
