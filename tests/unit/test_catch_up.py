"""What a follower awaits after an outage: publishers that are behind, while there are any."""

from collections.abc import Mapping

from shared.revocation.catch_up import DEAD_AFTER, LATE_SECONDS, SIGN_SECONDS, CatchUp

BEHIND, FURTHER, DONE, LATER = (
    {b"catch_up": sign} for sign in (b"behind:1", b"behind:2", b"done:3", b"done:4")
)


def face(catch_up: CatchUp, head: Mapping[bytes, bytes], at: float) -> bool:
    """Answered at once."""
    return catch_up.face(head, at, at)


def test_without_an_outage_nothing_is_awaited() -> None:
    for heads in ({}, {}), (DONE, DONE), (DONE, LATER):
        catch_up = CatchUp()
        assert [face(catch_up, head, 0) for head in heads] == [True, True]


def test_after_an_outage_a_sign_is_awaited_for_a_moment() -> None:
    """No publisher may be running: then the log is all there is."""
    for before in ({}, DONE):
        catch_up = CatchUp()
        assert face(catch_up, before, 0)
        catch_up.lose()
        seen = [face(catch_up, before, 10 + late) for late in (0, SIGN_SECONDS - 0.1, SIGN_SECONDS)]
        assert seen == [False, False, True]


def test_publishers_that_say_so_are_awaited_until_they_are_done() -> None:
    catch_up = CatchUp()
    catch_up.lose()
    assert not face(catch_up, {}, 0)
    assert not face(catch_up, BEHIND, 0.4)
    assert not face(catch_up, BEHIND, 0.3 + DEAD_AFTER)
    assert not face(catch_up, FURTHER, 0.3 + DEAD_AFTER)
    assert not face(catch_up, FURTHER, 0.2 + 2 * DEAD_AFTER)
    assert face(catch_up, DONE, 0.2 + 2 * DEAD_AFTER)


def test_who_is_behind_at_the_start_is_awaited() -> None:
    catch_up = CatchUp()
    assert not face(catch_up, BEHIND, 0)
    assert face(catch_up, DONE, 1)


def test_who_lost_nothing_waits_for_nobody() -> None:
    """However often a publisher misses something: a mirror in touch hears it a moment later."""
    catch_up = CatchUp()
    assert face(catch_up, {}, 0)
    assert all(face(catch_up, head, 1) for head in (BEHIND, FURTHER, DONE))


def test_a_late_answer_may_be_an_outage_to_others() -> None:
    catch_up = CatchUp()
    assert face(catch_up, {}, 0)
    assert catch_up.face({}, 1, 1 + LATE_SECONDS)
    assert not catch_up.face({}, 3, 3.1 + LATE_SECONDS)
    assert not face(catch_up, BEHIND, 4.5)
    assert face(catch_up, DONE, 5)


def test_where_every_answer_is_late_nobody_waits_for_ever() -> None:
    catch_up = CatchUp()
    catch_up.lose()
    seen = [catch_up.face({}, at, at + 0.1 + LATE_SECONDS) for at in (0, 2, 4, 6)]
    assert seen == [False, True, False, True]


def test_a_publisher_that_dies_meanwhile_is_not_awaited_for_ever() -> None:
    catch_up = CatchUp()
    assert not face(catch_up, BEHIND, 0)
    assert face(catch_up, BEHIND, DEAD_AFTER)


def test_what_ended_may_have_ended_before_the_outage() -> None:
    for before in ({}, BEHIND, DONE):
        catch_up = CatchUp()
        face(catch_up, before, 0)
        catch_up.lose()
        assert not face(catch_up, LATER, 1)
        assert not face(catch_up, FURTHER, 1.4)
        assert face(catch_up, DONE, 1.6)


def test_two_outages_may_lie_between_two_looks() -> None:
    """Awaited after the first one, the publishers were done when the second one began."""
    catch_up = CatchUp()
    assert face(catch_up, {}, 0)
    catch_up.lose()
    assert not face(catch_up, {}, 10)
    catch_up.lose()
    assert not face(catch_up, DONE, 14)
    assert not face(catch_up, BEHIND, 14.4)
    assert face(catch_up, LATER, 14.6)


def test_what_was_done_before_we_ever_looked_says_nothing_of_an_outage() -> None:
    catch_up = CatchUp()
    catch_up.lose()
    assert not face(catch_up, DONE, 0)
    assert face(catch_up, DONE, SIGN_SECONDS)


def test_a_sign_has_its_time_from_the_answer_to_the_next_question() -> None:
    catch_up = CatchUp()
    catch_up.lose()
    assert not catch_up.face({}, 0, 0.4)
    assert not catch_up.face({}, 0.3 + SIGN_SECONDS, 1.2)
    assert catch_up.face({}, 0.4 + SIGN_SECONDS, 1.2)
