"""A service and its floor under the same load, in turns."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.bench.child import Child
from tests.bench.generator import Generator, Load
from tests.bench.table import Figure, ratios

SATURATED = 0.95
WARM_UP_SHARE = 0.4


@dataclass(frozen=True)
class Side:
    """One of the two: where it is, what a round sends, what every answer must be.

    `prepare` runs before each round, unmeasured. `once`: no request is sent twice.
    """

    server: Child
    requests: Callable[[], list[bytes]]
    expect: int
    once: bool = False
    prepare: Callable[[], None] | None = None


@dataclass(frozen=True)
class Round:
    """What one turn of one side came to."""

    load: Load
    cpu_ms: float

    def raw(self) -> dict[str, Any]:
        return {
            "requests_per_second": self.load.rate,
            "cpu_ms": self.cpu_ms,
            "statuses": self.load.statuses,
            "p50_ms": self.load.p50_ms,
            "p99_ms": self.load.p99_ms,
            "generator_share": self.load.generator_share,
        }


def turn(generator: Generator, side: Side, seconds: float) -> Round:
    """Load one side once; CPU is the server process' own, user and system."""
    if side.prepare:
        side.prepare()
    requests = side.requests()
    before = side.server.cpu()
    load = generator.run(
        side.server.port, requests, seconds=seconds, expect=side.expect, once=side.once
    )
    return Round(load, (side.server.cpu() - before) * 1000 / load.count)


def interleave(
    generator: Generator, real: Side, floor: Side, *, rounds: int, seconds: float
) -> tuple[list[Round], list[Round]]:
    """A warm-up of each, then A B A B …"""
    for side in (real, floor):
        turn(generator, side, seconds * WARM_UP_SHARE)
    pairs = [
        (turn(generator, real, seconds), turn(generator, floor, seconds)) for _ in range(rounds)
    ]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def compare(name: str, real: list[Round], floor: list[Round], share: float) -> Figure:
    """Judge by CPU a request; show requests a second beside it."""
    by_cpu = ratios([one.cpu_ms for one in floor], [one.cpu_ms for one in real])
    by_rate = ratios([one.load.rate for one in real], [one.load.rate for one in floor])
    return Figure(
        name,
        _shown(real),
        floor=_shown(floor),
        ratio=f"{by_cpu:.0%} of CPU floor ({by_rate:.0%} by rate)",
        target=f"≥ {share:.0%}",
        met=by_cpu >= share,
        raw={
            "ratio_cpu": by_cpu,
            "ratio_rate": by_rate,
            "share_wanted": share,
            "real": [one.raw() for one in real],
            "floor": [one.raw() for one in floor],
        },
    )


def _shown(rounds: list[Round]) -> str:
    rate = median(one.load.rate for one in rounds)
    cpu = median(one.cpu_ms for one in rounds)
    limited = any(one.load.generator_share > SATURATED for one in rounds)
    return f"{cpu:.3f} ms, {'> ' if limited else ''}{rate:,.0f}/s"
