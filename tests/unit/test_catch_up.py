"""A subscriber waits for a whole publishers' round after an outage, while a publisher lives."""

import pytest

from shared.revocation.catch_up import NO_PUBLISHER_SECONDS, CatchUp


def update(catch_up: CatchUp, at: float, started: int, complete: int, took: float = 0) -> bool:
    """The head holds these counters."""
    head = {b"begun": b"%d" % started, b"told": b"%d" % complete}
    return catch_up.observe_head(head, at, at + took)


def test_connected_subscriber_waits_for_no_round() -> None:
    """A message that is published late reaches it all the same."""
    catch_up = CatchUp()
    assert not update(catch_up, 0, 7, 7)
    assert update(catch_up, 0.1, 8, 8)
    assert update(catch_up, 1, 20, 8)


def test_new_connection_waits_for_a_round_begun_after_its_look() -> None:
    """Also the first one of a process: Redis may just have lost entries in a failover."""
    catch_up = CatchUp()
    assert not update(catch_up, 0, 7, 6)
    assert not update(catch_up, 0.1, 8, 7)
    assert update(catch_up, 0.2, 8, 8)
    assert update(catch_up, 0.3, 9, 8)


@pytest.mark.parametrize("complete", [6, 7])
def test_round_from_before_the_first_look_is_not_trusted(complete: int) -> None:
    catch_up = CatchUp()
    assert not update(catch_up, 0, 7, 6)
    assert not update(catch_up, NO_PUBLISHER_SECONDS - 0.1, 7, complete)


def test_publisher_alive_in_a_long_round_is_awaited() -> None:
    catch_up = CatchUp()
    assert not update(catch_up, 0, 7, 7)
    last = 0.0
    for started in range(8, 100):
        last += NO_PUBLISHER_SECONDS - 0.1
        assert not update(catch_up, last, started, 7)
    assert not update(catch_up, last + NO_PUBLISHER_SECONDS - 0.1, 99, 7)
    assert update(catch_up, last + NO_PUBLISHER_SECONDS, 99, 7)


@pytest.mark.parametrize("head", [{}, {b"begun": b"7", b"told": b"7"}])
def test_stream_without_publishers_is_trusted_after_some_seconds(
    head: dict[bytes, bytes],
) -> None:
    catch_up = CatchUp()
    late = (0, NO_PUBLISHER_SECONDS - 0.1, NO_PUBLISHER_SECONDS)
    assert [catch_up.observe_head(head, at, at) for at in late] == [False, False, True]


def test_publisher_that_died_in_a_round_is_given_up() -> None:
    catch_up = CatchUp()
    assert not update(catch_up, 0, 7, 6)
    assert update(catch_up, NO_PUBLISHER_SECONDS, 7, 6)


@pytest.mark.parametrize("started", [0, 4999])
def test_counters_lost_by_redis_are_counted_anew(started: int) -> None:
    catch_up = CatchUp()
    assert not update(catch_up, 0, 4998, 4998)
    assert not update(catch_up, 0.1, 5000, 4998)
    assert not update(catch_up, 0.2, started, min(started, 4999))
    assert update(catch_up, 0.3, started + 1, started + 1)


def test_silence_is_measured_from_the_answer_to_a_look() -> None:
    catch_up = CatchUp()
    assert not update(catch_up, 0, 7, 7, took=0.4)
    assert not update(catch_up, NO_PUBLISHER_SECONDS + 0.3, 7, 7, took=0.4)
    assert update(catch_up, NO_PUBLISHER_SECONDS + 0.4, 7, 7)
