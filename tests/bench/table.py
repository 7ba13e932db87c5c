"""Figures, the arithmetic of ratios, and the one table that they end in."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

TITLES = ("figure", "measured", "floor", "ratio", "target", "met")
VERDICTS = {True: "yes", False: "NO", None: ""}


@dataclass(frozen=True)
class Figure:
    """One line of the table. `met` is None where nothing was promised; `raw` goes to the copy.

    `failed`: it was not measured, and `measured` says why.
    """

    name: str
    measured: str
    target: str = ""
    met: bool | None = None
    floor: str = ""
    ratio: str = ""
    raw: dict[str, Any] = field(default_factory=dict)
    failed: bool = False

    def cells(self) -> tuple[str, ...]:
        verdict = "FAILED" if self.failed else VERDICTS[self.met]
        return self.name, self.measured, self.floor, self.ratio, self.target, verdict


def at_most(name: str, value: float, bound: float, unit: str, **more: Any) -> Figure:
    """A figure that is met by being small."""
    return Figure(
        name,
        f"{brief(value)} {unit}{more.pop('remark', '')}",
        target=f"≤ {brief(bound)} {unit}",
        met=value <= bound,
        **more,
        raw={"value": value, "bound": bound, "unit": unit},
    )


def failed(name: str, reason: str) -> Figure:
    """What stands in the table for a row that could not be measured."""
    return Figure(name, reason, failed=True)


def brief(value: float) -> str:
    """Three digits that mean something."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def ratios(floor: Sequence[float], real: Sequence[float]) -> float:
    """Median of the rounds' own ratios: what a round shares, its noise, drops out."""
    return median(low / high for low, high in zip(floor, real, strict=True))


def render(figures: Iterable[Figure]) -> str:
    """The table as text."""
    rows = [TITLES, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(TITLES))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def write_copy(path: Path, figures: Iterable[Figure], about: dict[str, Any]) -> None:
    """Write the machine-readable copy: what was run, where, and every number behind the table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"about": about, "figures": [asdict(figure) for figure in figures]}
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
