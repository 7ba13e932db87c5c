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


def fresh_cache(clock: MovableClock, **options: Any) -> RevocationCache:
    cache = RevocationCache(clock, **options)
    cache.mark_fresh(clock.monotonic())
    return cache


def make_revocation(
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


def test_check_refuses_a_token_by_its_session_jti_or_generation() -> None:
    clock = MovableClock()
    for revoked in (
        make_revocation("session", SESSION, clock),
        make_revocation("token", "j", clock),
        make_revocation("user", USER, clock, 4),
    ):
        cache = fresh_cache(clock)
        assert not refuses(cache, claims())
        cache.add([revoked])
        assert refuses(cache, claims())


def test_check_accepts_tokens_of_others() -> None:
    clock = MovableClock()
    cache = fresh_cache(clock)
    cache.add([make_revocation("session", uuid4(), clock), make_revocation("token", "k", clock)])
    cache.add([make_revocation("user", uuid4(), clock, 9)])
    # what is revoked as one kind is not revoked as another
    cache.add([make_revocation("token", SESSION, clock), make_revocation("session", "j", clock)])
    assert not refuses(cache, claims())


def test_user_revocation_accepts_tokens_of_its_generation_and_later() -> None:
    clock = MovableClock()
    cache = fresh_cache(clock)
    cache.add([make_revocation("user", USER, clock, 3)])
    assert [refuses(cache, claims(gen=gen)) for gen in (2, 3, 4)] == [True, False, False]


@given(st.permutations([1, 2, 3, 4, 5]))
def test_add_keeps_the_highest_generation(order: list[int]) -> None:
    clock = MovableClock()
    cache = fresh_cache(clock)
    for generation in order:
        cache.add([make_revocation("user", USER, clock, generation)])
    assert [refuses(cache, claims(gen=gen)) for gen in (4, 5)] == [True, False]


def test_add_twice_changes_nothing() -> None:
    clock = MovableClock()
    cache = fresh_cache(clock)
    revoked = [make_revocation("session", SESSION, clock), make_revocation("user", USER, clock, 4)]
    cache.add(revoked)
    cache.add(revoked)
    assert len(cache) == 2


@pytest.mark.parametrize("kind", ["session", "token", "user"])
def test_remove_expired_keeps_entries_15_minutes_longer(kind: Kind) -> None:
    clock = MovableClock()
    cache = fresh_cache(clock)
    cache.add([make_revocation(kind, "x", clock, 1 if kind == "user" else None)])
    clock.advance(seconds=600 + 15 * 60 - 5)
    cache.remove_expired()
    assert len(cache) == 1
    clock.advance(seconds=10)
    cache.remove_expired()
    assert len(cache) == 0


@pytest.mark.parametrize("kind", ["session", "token", "user"])
def test_add_keeps_the_later_expiry(kind: Kind) -> None:
    clock = MovableClock()
    generation = 1 if kind == "user" else None
    for ends in ([60, 6000], [6000, 60]):
        cache = fresh_cache(clock)
        cache.add([make_revocation(kind, "x", clock, generation, left=left) for left in ends])
        clock.advance(seconds=60 + 16 * 60)
        cache.remove_expired()
        assert len(cache) == 1


def test_clock_step_revives_no_token() -> None:
    clock = MovableClock()
    cache = fresh_cache(clock)
    cache.add([make_revocation("session", SESSION, clock, left=60)])
    for step in (300, -600, 300):  # five minutes ahead, five behind, right again
        clock.advance(seconds=step)
        cache.remove_expired()
        assert refuses(cache, claims())


def test_new_cache_is_stale() -> None:
    cache = RevocationCache(MovableClock())
    assert not cache.is_fresh
    assert cache.staleness == float("inf")
    with pytest.raises(ServiceUnavailable) as refused:
        cache.check(claims())
    assert refused.value.headers() == {"Retry-After": "1"}


def test_stale_cache_refuses_every_token() -> None:
    clock = MovableClock()
    cache = fresh_cache(clock, max_staleness=3)
    clock.advance(seconds=2.9)
    cache.check(claims())
    clock.advance(seconds=0.2)
    assert not cache.is_fresh
    with pytest.raises(ServiceUnavailable):
        cache.check(claims())
    cache.mark_fresh(clock.monotonic())
    cache.check(claims())


def test_mark_fresh_never_goes_back() -> None:
    clock = MovableClock()
    cache = RevocationCache(clock)
    asked_at = clock.monotonic()
    clock.advance(seconds=2)
    cache.mark_fresh(asked_at)
    assert 2 <= cache.staleness < 2.5
    cache.mark_fresh(asked_at - 1)  # an answer that was overtaken
    assert 2 <= cache.staleness < 2.5


def test_stale_cache_still_reports_revoked_tokens() -> None:
    clock = MovableClock()
    cache = RevocationCache(clock)
    cache.add([make_revocation("session", SESSION, clock)])
    assert refuses(cache, claims())


def test_fail_open_uses_the_last_known_state() -> None:
    clock = MovableClock()
    cache = RevocationCache(clock, fail_open=True)
    cache.check(claims())
    cache.add([make_revocation("session", SESSION, clock)])
    assert refuses(cache, claims())
    cache.check(claims(sid=uuid4()))


@pytest.mark.parametrize("staleness", [0, -1, 61])
def test_cache_with_a_staleness_that_sign_outs_cannot_wait_for_is_refused(staleness: float) -> None:
    with pytest.raises(ValueError, match="max_staleness"):
        RevocationCache(MovableClock(), max_staleness=staleness)


def test_stopped_cache_honours_nothing_even_when_it_fails_open() -> None:
    clock = MovableClock()
    for fail_open, seconds in ((False, 3), (True, None)):
        cache = fresh_cache(clock, fail_open=fail_open)
        assert cache.honours_for == seconds
        cache.stop()
        with pytest.raises(ServiceUnavailable):
            cache.check(claims())
