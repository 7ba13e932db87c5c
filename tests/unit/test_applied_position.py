"""A subscriber acknowledges no entry before it has applied every earlier one."""

from shared.revocation.applied_position import AppliedPosition
from shared.revocation.stream_cursor import START, StreamPosition


def at(number: int, epoch: str = "e") -> StreamPosition:
    return StreamPosition(epoch, (number, 0))


def looked(number: int) -> AppliedPosition:
    """One complete look has reached this entry."""
    applied = AppliedPosition()
    applied.on_look_begun()
    applied.on_look_complete(at(number))
    return applied


def test_message_before_the_first_complete_look_is_not_applied() -> None:
    applied = AppliedPosition()
    applied.on_message(at(5))
    assert applied.newest == StreamPosition("", START)
    assert not applied.moved.is_set()


def test_message_after_a_complete_look_is_applied() -> None:
    applied = looked(5)
    applied.moved.clear()
    applied.on_message(at(6))
    assert applied.newest == at(6)
    assert applied.moved.is_set()


def test_message_heard_during_a_look_is_applied_with_it() -> None:
    applied = AppliedPosition()
    applied.on_look_begun()
    applied.on_message(at(7))
    applied.on_look_complete(at(5))
    assert applied.newest == at(7)


def test_message_that_the_look_has_read_moves_nothing_back() -> None:
    applied = looked(5)
    applied.on_message(at(4))
    assert applied.newest == at(5)


def test_message_of_another_epoch_is_not_applied() -> None:
    applied = looked(5)
    applied.on_message(at(9, "before"))
    assert applied.newest == at(5)


def test_message_of_another_epoch_during_a_look_is_not_applied_with_it() -> None:
    """Ids may go back in a new epoch: its entry 7 is not the one that was heard."""
    applied = looked(5)
    applied.on_look_begun()
    applied.on_message(at(9, "before"))
    applied.on_look_complete(at(2, "after"))
    assert applied.newest == at(2, "after")


def test_incomplete_look_keeps_the_epoch_that_was_applied() -> None:
    applied = looked(5)
    applied.on_look_begun()  # it finds another epoch, which it has to wait for
    applied.on_message(at(6))
    applied.on_message(at(7, "after"))
    assert applied.newest == at(6)


def test_unverified_message_stops_until_a_later_look_is_complete() -> None:
    applied = looked(5)
    applied.on_look_begun()
    applied.on_unverified_message()
    applied.on_message(at(7))
    applied.on_look_complete(at(5))
    applied.on_message(at(8))
    assert applied.newest == at(5)
    applied.on_look_begun()
    applied.on_look_complete(at(8))
    applied.on_message(at(9))
    assert applied.newest == at(9)


def test_earlier_head_of_the_same_epoch_moves_back() -> None:
    applied = looked(5)
    applied.on_look_begun()
    applied.on_look_complete(at(3))
    assert applied.newest == at(3)
