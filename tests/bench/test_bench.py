"""The bench itself: its arithmetic, and that it says no to a wrong answer."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.bench import __main__ as command
from tests.bench.bench import Bench, Options
from tests.bench.child import BenchError, Child
from tests.bench.cpu import cpu_seconds
from tests.bench.disclosure import separability
from tests.bench.generator import Generator, Load
from tests.bench.load import percentile
from tests.bench.measure import measure
from tests.bench.paired import Round, Side, compare, interleave
from tests.bench.raw_http import measure as take
from tests.bench.raw_http import render as request
from tests.bench.rows import ROWS
from tests.bench.table import Figure, at_most, failed, ratios, render
from tests.support.ports import own_port

TINY = 0.05
NOTHING: Any = None  # no row in these tests asks for it


def rounds(*cpu_ms: float) -> list[Round]:
    return [Round(Load({200: 100}, 1.0, 0.5, 1.0, 2.0), cost) for cost in cpu_ms]


@pytest.fixture
def generator(tmp_path: Path) -> Iterator[Generator]:
    with Generator(tmp_path) as running:
        yield running


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Child]:
    port = own_port()
    env = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port)}
    with Child(["tests.bench.bare"], port=port, env=env, log=tmp_path / "log") as server:
        yield server


def test_ratio_is_the_median_of_each_rounds_ratio() -> None:
    # A round in which the machine was slow is slow for both sides.
    assert ratios([1.0, 5.0, 1.0], [2.0, 10.0, 4.0]) == 0.5


@pytest.mark.parametrize(("cost", "met"), [(1.6, True), (1.7, False)])
def test_share_of_the_floor_is_judged_by_cpu(cost: float, met: bool) -> None:
    figure = compare("send", rounds(cost), rounds(1.0), 0.6)
    assert figure.met is met
    assert figure.raw["ratio_cpu"] == pytest.approx(1 / cost)


@pytest.mark.parametrize(("value", "met"), [(2.0, True), (2.1, False)])
def test_bound_reached_exactly_is_met(value: float, met: bool) -> None:
    assert at_most("check", value, 2, "µs").met is met


def test_table_shows_every_verdict() -> None:
    text = render([Figure("a", "1"), at_most("b", 1, 2, "s"), at_most("c", 3, 2, "s")])
    lines = text.splitlines()[2:]
    assert [line.split()[-1] for line in lines] == ["1", "yes", "NO"]


async def test_failed_row_leaves_other_rows_their_figures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def wrong(_bench: Bench) -> list[Figure]:
        raise ExceptionGroup("two at once", [BenchError("expected 200 alone\nits log"), OSError()])

    async def broken(_bench: Bench) -> list[Figure]:
        raise LookupError("a bug")

    async def whole(_bench: Bench) -> list[Figure]:
        return [at_most("b", 1, 2, "s")]

    rows = {"wrong": wrong, "broken": broken, "whole": whole}
    for name, row in rows.items():
        monkeypatch.setitem(ROWS, name, row)
    figures = await measure(Bench(Options(rows=tuple(rows)), NOTHING, NOTHING, NOTHING))
    assert [figure.failed for figure in figures] == [True, True, False]
    lines = [line.split() for line in render(figures).splitlines()[2:]]
    assert [line[-1] for line in lines] == ["FAILED", "FAILED", "yes"]
    assert figures[0].measured == "expected 200 alone"
    told = capsys.readouterr().err
    assert "bench: wrong: expected 200 alone\nits log" in told
    assert "bench: broken: a bug" in told


@pytest.mark.parametrize(("outcome", "code"), [("failed", 1), ("missed", 0)])
def test_command_fails_for_failed_rows_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, outcome: str, code: int
) -> None:
    figure = failed("a", "why") if outcome == "failed" else at_most("a", 3, 2, "s")

    async def measured(_bench: Bench) -> list[Figure]:
        return [figure, at_most("b", 1, 2, "s")]

    @contextmanager
    def running(options: Options, _folder: Path) -> Iterator[Bench]:
        yield Bench(options, NOTHING, NOTHING, NOTHING)

    monkeypatch.setattr(command, "measure", measured)
    monkeypatch.setattr(command, "_running", running)
    monkeypatch.setattr("sys.argv", ["bench", "--json", str(tmp_path / "copy.json")])
    assert command.main() == code
    kept = json.loads((tmp_path / "copy.json").read_text())["figures"]
    assert [one["failed"] for one in kept] == [outcome == "failed", False]


def test_percentile_is_an_observed_value() -> None:
    assert percentile([float(n) for n in range(100)], 0.99) == 99
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2


def test_separability_of_distinct_and_equal_times_differs() -> None:
    assert separability([1.0, 2.0], [3.0, 4.0]) == separability([3.0, 4.0], [1.0, 2.0]) == 1
    assert separability([1.0, 2.0, 2.0], [2.0, 1.0, 2.0]) == 0.5
    assert separability([1.0, 4.0], [2.0, 3.0]) == 0.5
    assert separability([1.0, 3.0], [2.0, 4.0]) == 0.75


def test_response_is_counted_when_it_is_complete() -> None:
    whole = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"
    assert take(whole) == (202, len(whole))
    assert take(whole[:-1]) is None
    assert take(whole[:20]) is None
    assert take(b"HTTP/1.1 204 No Content\r\n\r\n") == (204, 27)
    with pytest.raises(ValueError, match="without a length"):
        take(b"HTTP/1.1 200 OK\r\n\r\n")


def test_cpu_seconds_of_own_process_grow() -> None:
    before, until = cpu_seconds(os.getpid()), time.process_time() + 0.05
    while time.process_time() < until:
        pass
    assert cpu_seconds(os.getpid()) > before


def test_interleaved_sides_are_both_measured(generator: Generator, bare: Child) -> None:
    side = Side(bare, lambda: [request("GET", "/")], expect=200)
    real, floor = interleave(generator, side, side, rounds=1, seconds=TINY)
    assert real[0].load.count > 50
    assert set(floor[0].load.statuses) == {200}
    with pytest.raises(BenchError, match="expected 202 alone"):
        generator.run(bare.port, [request("GET", "/")], seconds=TINY, expect=202)


def test_generator_once_sends_each_request_once(generator: Generator, bare: Child) -> None:
    load = generator.run(
        bare.port, [request("GET", "/")] * 7, seconds=5, expect=200, once=True, connections=3
    )
    assert load.count == 7


def test_rows_all_have_a_docstring() -> None:
    assert all(row.__doc__ for row in ROWS.values())
