"""What a follower awaits after an outage: a whole round, while there is anybody to make it."""

import pytest

from shared.revocation.catch_up import DEAD_AFTER, SIGN_SECONDS, CatchUp

QUIET = {"begun": 7, "told": 7, "behind": 3, "said": 5}


def face(catch_up: CatchUp, at: float, took: float = 0, **numbers: int) -> bool:
    """The head holds these numbers."""
    head = {name.encode(): b"%d" % number for name, number in numbers.items()}
    return catch_up.update_head(head, at, at + took)


def after_an_outage() -> CatchUp:
    catch_up = CatchUp()
    catch_up.on_disconnect()
    return catch_up


@pytest.mark.parametrize("numbers", [{}, QUIET, {"begun": 8, "told": 7}])
def test_without_an_outage_nothing_is_awaited(numbers: dict[str, int]) -> None:
    catch_up = CatchUp()
    assert face(catch_up, 0, **numbers)
    assert face(catch_up, 1, **numbers)


@pytest.mark.parametrize("numbers", [{}, QUIET])
def test_after_an_outage_a_word_is_awaited_for_a_moment(numbers: dict[str, int]) -> None:
    """No publisher may be running: then the log is all there is."""
    catch_up = CatchUp()
    assert face(catch_up, 0, **numbers)
    catch_up.on_disconnect()
    late = (0, SIGN_SECONDS - 0.1, SIGN_SECONDS)
    assert [face(catch_up, 10 + one, **numbers) for one in late] == [False, False, True]


def test_a_round_that_began_after_the_first_look_is_enough() -> None:
    """Though a publisher is still behind that has no database, or misses something all the time."""
    catch_up = after_an_outage()
    assert not face(catch_up, 0, begun=7, told=6, behind=7, said=1)
    assert not face(catch_up, 0.1, begun=8, told=6, behind=7, said=2)
    assert not face(catch_up, 0.2, begun=8, told=7, behind=8, said=3)
    assert face(catch_up, 0.3, begun=8, told=8, behind=8, said=4)


def test_a_round_from_before_tells_nothing_of_the_outage() -> None:
    catch_up = after_an_outage()
    assert not face(catch_up, 0, begun=7, told=6)
    assert not face(catch_up, 0.1, begun=7, told=7)
    assert face(catch_up, SIGN_SECONDS, begun=7, told=7)


def test_who_is_behind_is_awaited_for_as_long_as_it_lives() -> None:
    catch_up = after_an_outage()
    assert not face(catch_up, 0, **QUIET)
    last = 0.0
    for said in range(6, 100):
        last += DEAD_AFTER - 0.1
        assert not face(catch_up, last, begun=7, told=7, behind=7, said=said)
    assert not face(catch_up, last + DEAD_AFTER - 0.1, begun=7, told=7, behind=7, said=99)
    assert face(catch_up, last + DEAD_AFTER, begun=7, told=7, behind=7, said=99)


def test_what_was_missed_before_a_whole_round_is_told_by_it() -> None:
    """It had begun before our first look, and after the publisher had said so."""
    catch_up = after_an_outage()
    assert not face(catch_up, 0, begun=8, told=7, behind=7, said=6)
    assert not face(catch_up, SIGN_SECONDS, begun=8, told=7, behind=7, said=7)
    assert face(catch_up, SIGN_SECONDS + 0.1, begun=8, told=8, behind=7, said=7)


def test_who_is_behind_at_the_start_is_awaited() -> None:
    catch_up = CatchUp()
    assert not face(catch_up, 0, begun=7, told=7, behind=7, said=1)
    assert not face(catch_up, 1, begun=8, told=7, behind=7, said=9)
    assert face(catch_up, 2, begun=8, told=8, behind=7, said=10)


def test_who_died_behind_is_not_awaited_for_ever() -> None:
    catch_up = CatchUp()
    numbers = {"begun": 7, "told": 7, "behind": 7, "said": 1}
    assert not face(catch_up, 0, **numbers)
    assert not face(catch_up, DEAD_AFTER - 0.1, **numbers)
    assert face(catch_up, DEAD_AFTER, **numbers)
    catch_up.on_disconnect()
    assert not face(catch_up, 100, **numbers)


def test_who_lost_nothing_waits_for_nobody() -> None:
    """However often a publisher misses something: a mirror in touch hears it a moment later."""
    catch_up = CatchUp()
    assert face(catch_up, 0, **QUIET)
    assert all(face(catch_up, 1, begun=9, told=7, behind=9, said=said) for said in (6, 7))


def test_two_outages_may_lie_between_two_looks() -> None:
    """Awaited after the first one, a round was through when the second one began."""
    catch_up = after_an_outage()
    assert not face(catch_up, 10, begun=7, told=7)
    catch_up.on_disconnect()
    assert not face(catch_up, 14, begun=8, told=8)
    assert not face(catch_up, 14.4, begun=9, told=8, behind=8, said=1)
    assert face(catch_up, 14.6, begun=9, told=9, behind=8, said=2)


def test_a_redis_that_has_lost_the_count_begins_it_anew() -> None:
    catch_up = after_an_outage()
    assert not face(catch_up, 0, begun=5000, told=5000)
    assert not face(catch_up, 0.1, behind=0, said=1)
    assert not face(catch_up, 0.2, begun=1, behind=0, said=2)
    assert face(catch_up, 0.3, begun=1, told=1, behind=0, said=3)


def test_a_word_has_its_time_from_the_answer_to_the_next_question() -> None:
    catch_up = after_an_outage()
    assert not face(catch_up, 0, 0.4)
    assert not face(catch_up, 0.3 + SIGN_SECONDS, 0.4)
    assert face(catch_up, 0.4 + SIGN_SECONDS, 0.4)
