"""The mirror: what it refuses, for how long, and what it does when it is not sure."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ServiceUnavailable, TokenRevoked
from shared.revocation.message import Kind, Revocation
from shared.revocation.mirror import Mirror
from shared.tokens import Claims
from tests.support.clock import MovableClock

USER, SESSION = uuid4(), uuid4()


def claims(sub: UUID = USER, sid: UUID = SESSION, jti: str = "j", gen: int = 3) -> Claims:
    return Claims(sub, sid, jti, gen, 0, 0, 0, 0, (), ())


def in_touch(clock: MovableClock, **options: Any) -> Mirror:
    mirror = Mirror(clock, **options)
    mirror.confirm(clock.monotonic())
    return mirror


def dead(
    kind: Kind, id_: object, clock: MovableClock, generation: int | None = None, left: float = 600
) -> Revocation:
    expires_at = clock.now() + timedelta(seconds=left)
    return Revocation(kind, str(id_), "logout", expires_at, generation)


def refuses(mirror: Mirror, token: Claims) -> bool:
    try:
        mirror.check(token)
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
        mirror = in_touch(clock)
        assert not refuses(mirror, claims())
        mirror.add([revoked])
        assert refuses(mirror, claims())


def test_nobody_elses_token_is_refused() -> None:
    clock = MovableClock()
    mirror = in_touch(clock)
    mirror.add([dead("session", uuid4(), clock), dead("token", "k", clock)])
    mirror.add([dead("user", uuid4(), clock, 9)])
    # what is revoked as one kind is not revoked as another
    mirror.add([dead("token", SESSION, clock), dead("session", "j", clock)])
    assert not refuses(mirror, claims())


def test_a_user_revocation_spares_tokens_of_its_own_generation_and_later_ones() -> None:
    clock = MovableClock()
    mirror = in_touch(clock)
    mirror.add([dead("user", USER, clock, 3)])
    assert [refuses(mirror, claims(gen=gen)) for gen in (2, 3, 4)] == [True, False, False]


@given(st.permutations([1, 2, 3, 4, 5]))
def test_the_highest_generation_wins_in_any_order(order: list[int]) -> None:
    clock = MovableClock()
    mirror = in_touch(clock)
    for generation in order:
        mirror.add([dead("user", USER, clock, generation)])
    assert [refuses(mirror, claims(gen=gen)) for gen in (4, 5)] == [True, False]


def test_applying_twice_changes_nothing() -> None:
    clock = MovableClock()
    mirror = in_touch(clock)
    revoked = [dead("session", SESSION, clock), dead("user", USER, clock, 4)]
    mirror.add(revoked)
    mirror.add(revoked)
    assert len(mirror) == 2


@pytest.mark.parametrize("kind", ["session", "token", "user"])
def test_an_entry_leaves_a_quarter_of_an_hour_after_its_tokens_have_expired(kind: Kind) -> None:
    clock = MovableClock()
    mirror = in_touch(clock)
    mirror.add([dead(kind, "x", clock, 1 if kind == "user" else None)])
    clock.advance(seconds=600 + 15 * 60 - 5)
    mirror.forget_expired()
    assert len(mirror) == 1
    clock.advance(seconds=10)
    mirror.forget_expired()
    assert len(mirror) == 0


@pytest.mark.parametrize("kind", ["session", "token", "user"])
def test_of_two_ends_of_one_entry_the_later_one_counts(kind: Kind) -> None:
    clock = MovableClock()
    generation = 1 if kind == "user" else None
    for ends in ([60, 6000], [6000, 60]):
        mirror = in_touch(clock)
        mirror.add([dead(kind, "x", clock, generation, left=left) for left in ends])
        clock.advance(seconds=60 + 16 * 60)
        mirror.forget_expired()
        assert len(mirror) == 1


def test_a_clock_that_steps_revives_nothing() -> None:
    clock = MovableClock()
    mirror = in_touch(clock)
    mirror.add([dead("session", SESSION, clock, left=60)])
    for step in (300, -600, 300):  # five minutes ahead, five behind, right again
        clock.advance(seconds=step)
        mirror.forget_expired()
        assert refuses(mirror, claims())


def test_a_new_mirror_is_sure_of_nothing() -> None:
    mirror = Mirror(MovableClock())
    assert not mirror.in_touch
    assert mirror.staleness == float("inf")
    with pytest.raises(ServiceUnavailable) as refused:
        mirror.check(claims())
    assert refused.value.headers() == {"Retry-After": "1"}


def test_out_of_touch_for_longer_than_the_bound_nothing_is_sure() -> None:
    clock = MovableClock()
    mirror = in_touch(clock, max_staleness=3)
    clock.advance(seconds=2.9)
    mirror.check(claims())
    clock.advance(seconds=0.2)
    assert not mirror.in_touch
    with pytest.raises(ServiceUnavailable):
        mirror.check(claims())
    mirror.confirm(clock.monotonic())
    mirror.check(claims())


def test_touch_counts_from_the_question_and_never_goes_back() -> None:
    clock = MovableClock()
    mirror = Mirror(clock)
    asked_at = clock.monotonic()
    clock.advance(seconds=2)
    mirror.confirm(asked_at)
    assert 2 <= mirror.staleness < 2.5
    mirror.confirm(asked_at - 1)  # an answer that was overtaken
    assert 2 <= mirror.staleness < 2.5


def test_a_revoked_token_is_refused_as_revoked_also_when_out_of_touch() -> None:
    clock = MovableClock()
    mirror = Mirror(clock)
    mirror.add([dead("session", SESSION, clock)])
    assert refuses(mirror, claims())


def test_fail_open_goes_on_with_what_it_knew() -> None:
    clock = MovableClock()
    mirror = Mirror(clock, fail_open=True)
    mirror.check(claims())
    mirror.add([dead("session", SESSION, clock)])
    assert refuses(mirror, claims())
    mirror.check(claims(sid=uuid4()))
