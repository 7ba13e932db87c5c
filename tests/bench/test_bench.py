"""The bench itself: its arithmetic, and that it says no to a wrong answer."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.process import free_port
from tests.bench.child import BenchError, Child
from tests.bench.cpu import cpu_seconds
from tests.bench.disclosure import separability
from tests.bench.generator import Generator, Load
from tests.bench.load import percentile
from tests.bench.paired import Round, Side, compare, interleave
from tests.bench.rows import ROWS
from tests.bench.table import Figure, at_most, ratios, render
from tests.bench.wire import measure
from tests.bench.wire import render as request

TINY = 0.05


def rounds(*cpu_ms: float) -> list[Round]:
    return [Round(Load({200: 100}, 1.0, 0.5, 1.0, 2.0), cost) for cost in cpu_ms]


@pytest.fixture
def generator(tmp_path: Path) -> Iterator[Generator]:
    with Generator(tmp_path) as running:
        yield running


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Child]:
    port = free_port()
    env = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port)}
    with Child(["tests.bench.bare"], port=port, env=env, log=tmp_path / "log") as server:
        yield server


def test_a_ratio_is_the_median_of_the_rounds_own() -> None:
    # A round in which the machine was slow is slow for both sides.
    assert ratios([1.0, 5.0, 1.0], [2.0, 10.0, 4.0]) == 0.5


@pytest.mark.parametrize(("cost", "met"), [(1.6, True), (1.7, False)])
def test_a_share_of_the_floor_is_judged_by_cpu(cost: float, met: bool) -> None:
    figure = compare("send", rounds(cost), rounds(1.0), 0.6)
    assert figure.met is met
    assert figure.raw["ratio_cpu"] == pytest.approx(1 / cost)


@pytest.mark.parametrize(("value", "met"), [(2.0, True), (2.1, False)])
def test_a_bound_is_met_by_not_passing_it(value: float, met: bool) -> None:
    assert at_most("check", value, 2, "µs").met is met


def test_the_table_shows_every_verdict() -> None:
    text = render([Figure("a", "1"), at_most("b", 1, 2, "s"), at_most("c", 3, 2, "s")])
    lines = text.splitlines()[2:]
    assert [line.split()[-1] for line in lines] == ["1", "yes", "NO"]


def test_percentiles_are_values_that_were_seen() -> None:
    assert percentile([float(n) for n in range(100)], 0.99) == 99
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2


def test_times_that_tell_something_are_told_from_times_that_do_not() -> None:
    assert separability([1.0, 2.0], [3.0, 4.0]) == separability([3.0, 4.0], [1.0, 2.0]) == 1
    assert separability([1.0, 2.0, 2.0], [2.0, 1.0, 2.0]) == 0.5
    assert separability([1.0, 4.0], [2.0, 3.0]) == 0.5
    assert separability([1.0, 3.0], [2.0, 4.0]) == 0.75


def test_an_answer_is_measured_when_it_is_whole() -> None:
    whole = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"
    assert measure(whole) == (202, len(whole))
    assert measure(whole[:-1]) is None
    assert measure(whole[:20]) is None
    assert measure(b"HTTP/1.1 204 No Content\r\n\r\n") == (204, 27)
    with pytest.raises(ValueError, match="without a length"):
        measure(b"HTTP/1.1 200 OK\r\n\r\n")


def test_own_cpu_is_seen() -> None:
    before, until = cpu_seconds(os.getpid()), time.process_time() + 0.05
    while time.process_time() < until:
        pass
    assert cpu_seconds(os.getpid()) > before


def test_two_sides_take_turns(generator: Generator, bare: Child) -> None:
    side = Side(bare, lambda: [request("GET", "/")], expect=200)
    real, floor = interleave(generator, side, side, rounds=1, seconds=TINY)
    assert real[0].load.count > 50
    assert set(floor[0].load.statuses) == {200}
    with pytest.raises(BenchError, match="expected 202 alone"):
        generator.run(bare.port, [request("GET", "/")], seconds=TINY, expect=202)


def test_what_is_to_be_sent_once_is(generator: Generator, bare: Child) -> None:
    load = generator.run(
        bare.port, [request("GET", "/")] * 7, seconds=5, expect=200, once=True, connections=3
    )
    assert load.count == 7


def test_every_row_has_a_name_and_says_what_it_is() -> None:
    assert all(row.__doc__ for row in ROWS.values())
