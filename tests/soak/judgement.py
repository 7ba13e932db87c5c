"""Checks whether a run was clean: growth by least squares, and everything that must not occur."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from tests.bench.table import Figure, brief
from tests.soak.options import Options
from tests.soak.processes import PARTS, Sample, Usage
from tests.soak.record import Record

FEWEST = 3  # points that a slope with an error needs
SURE = 2  # standard errors
PROCESS_PER_CONNECTION = {"PostgreSQL"}

Point = tuple[float, float]
"""Seconds, and what was measured then."""


@dataclass(frozen=True)
class Trend:
    """A least-squares line through points: what it rises by over their whole span."""

    growth: float
    error: float  # standard error of the growth
    span: float  # seconds

    @property
    def per_hour(self) -> float:
        return self.growth / self.span * 3600 if self.span else 0.0

    def exceeds(self, tolerance: float) -> bool:
        """Return whether it rises by more than the tolerance, beyond what noise explains."""
        return self.growth - SURE * self.error > tolerance


def trend(points: Sequence[Point]) -> Trend:
    """Fit a line. Too few points have no trend."""
    if len(points) < FEWEST:
        return Trend(0, 0, 0)
    times, values = [at for at, _ in points], [value for _, value in points]
    middle, mean, span = fmean(times), fmean(values), times[-1] - times[0]
    spread = sum((at - middle) ** 2 for at in times)
    slope = sum((at - middle) * (value - mean) for at, value in points) / spread
    residuals = sum((value - mean - slope * (at - middle)) ** 2 for at, value in points)
    error = math.sqrt(residuals / (len(points) - 2) / spread)
    return Trend(slope * span, error * span, span)


def second_half(samples: Sequence[Sample], begin: float, end: float) -> list[Sample]:
    """Return what was seen in the second half of the load, when the caches are full."""
    return [sample for sample in samples if (begin + end) / 2 <= sample.at <= end]


def series(
    samples: Sequence[Sample], part: str, value: Callable[[Usage], float | None]
) -> list[Point]:
    """Return what one part held of one thing; unreadable values are left out."""
    found = [(sample.at, value(sample.usage[part])) for sample in samples]
    return [(at, measured) for at, measured in found if measured is not None]


def per_connection(samples: Sequence[Sample], part: str, points: Sequence[Point]) -> list[Point]:
    """Return the points divided by the part's number of connections.

    PostgreSQL runs a process for each connection, and services open and close connections with
    the load. So its total follows the size of their pools, which is bounded, and hides a leak.
    """
    connections = dict(series(samples, part, lambda usage: usage.connections or None))
    return [(at, value / connections[at]) for at, value in points if at in connections]


def growth_verdicts(samples: Sequence[Sample], options: Options) -> list[Figure]:
    """Judge memory and descriptors of every part over these samples."""
    kinds: tuple[tuple[str, Callable[[Usage], float], float, str], ...] = (
        ("memory", lambda usage: usage.memory, options.memory_growth, "MiB"),
        ("descriptors", lambda usage: usage.descriptors, options.descriptor_growth, ""),
    )
    verdicts = []
    for part in PARTS:
        for name, value, bound, unit in kinds:
            points, subject = series(samples, part, value), f"{part}: growth of {name}"
            if part in PROCESS_PER_CONNECTION:
                shares = trend(per_connection(samples, part, points))
                each = f"{unit} a connection".strip()
                verdicts.append(_growth(subject, shares, options.connection_growth, each))
            else:
                verdicts.append(_growth(subject, trend(points), bound, unit))
    return verdicts


def _growth(name: str, found: Trend, bound: float, unit: str) -> Figure:
    measured = (
        f"{found.growth:+.1f} ± {SURE * found.error:.1f} {unit}".strip()
        + f" in {found.span:.0f} s, {found.per_hour:+.0f} an hour"
    )
    return Figure(
        name,
        measured,
        target=f"≤ {brief(bound)} {unit}".strip(),
        met=bool(found.span) and not found.exceeds(bound),
    )


def conduct_verdicts(
    record: Record, log_lines: Sequence[str], options: Options, exit_code: int
) -> list[Figure]:
    """Judge what was answered and logged. Work that did not happen is no success either."""
    errors = [str(one) for one in record.refusals if one.is_server_error]
    refused = [str(one) for one in record.refusals if not one.is_server_error]
    return [
        Figure("requests", f"{record.requests:,}", target="some", met=record.requests > 0),
        Figure("sign-outs", f"{record.sign_outs:,}", target="some", met=record.sign_outs > 0),
        _none("5xx, or no answer", errors),
        _none("honest requests refused", refused),
        _none("downloads of other bytes", record.wrong_bytes),
        _none("tokens honoured after the 204", record.honoured, binding=options.strict_sign_out),
        _none("warnings that nothing caused", log_lines),
        Figure("exit code of the stack", str(exit_code), target="0", met=exit_code == 0),
    ]


def _none(name: str, found: Sequence[str], *, binding: bool = True) -> Figure:
    met = None if found and not binding else not found
    target = "0" if binding else "0 (reported)"
    return Figure(name, f"{len(found):,}", target=target, met=met, raw={"found": list(found)})


def is_clean(verdicts: Sequence[Figure]) -> bool:
    """Return whether nothing that binds was missed."""
    return all(verdict.met is not False for verdict in verdicts)
