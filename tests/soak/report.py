"""The plot and the Markdown table of a run."""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from tests.bench.load import percentile
from tests.bench.table import Figure
from tests.soak.chart import Panel, draw_chart
from tests.soak.judgement import second_half, series
from tests.soak.processes import PARTS, Sample, Usage
from tests.soak.record import Record

SHOWN = 20
VERDICTS = {True: "yes", False: "**NO**", None: "reported"}
VALUES: dict[str, Callable[[Usage], float | None]] = {
    "memory, MiB": lambda usage: usage.memory,
    "descriptors": lambda usage: usage.descriptors,
    "connections": lambda usage: usage.connections,
}


@dataclass(frozen=True)
class Run:
    """What a run measured; moments are seconds since its beginning."""

    about: str
    samples: Sequence[Sample]
    idle: Sample
    begin: float
    end: float
    record: Record
    verdicts: Sequence[Figure]


def write_report(run: Run, folder: Path) -> None:
    """Write `soak.png`, `soak.md` and every sample, `soak.csv`, into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    panels = [
        Panel(title, {part: series(run.samples, part, value) for part in PARTS})
        for title, value in VALUES.items()
    ]
    marks = {"load": run.begin, "second half": (run.begin + run.end) / 2, "idle": run.end}
    draw_chart(panels, marks, folder / "soak.png")
    (folder / "soak.md").write_text(markdown(run), encoding="utf-8")
    with (folder / "soak.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("seconds", "part", *VALUES), *_sample_rows(run.samples)])


def _sample_rows(samples: Sequence[Sample]) -> Iterable[tuple[object, ...]]:
    for sample in samples:
        for part, usage in sample.usage.items():
            yield (round(sample.at, 1), part, *(value(usage) for value in VALUES.values()))


def markdown(run: Run) -> str:
    """Return the table of the run."""
    verdicts = [(v.name, v.measured, v.target, VERDICTS[v.met]) for v in run.verdicts]
    lines = [
        "# Soak", "", run.about, "", "![memory, descriptors and connections](soak.png)", "",
        *_table(("what", "measured", "target", "met"), verdicts), "",
        "Memory is what processes wrote themselves (`RssAnon`); connections are sockets.", "",
        *_table(
            ("part", "of it", "idle before", "second half, mean", "peak", "idle again"),
            _process_rows(run),
        ),
        "",
        *_table(("step", "answers", "p50, ms", "p99, ms", "statuses"), _step_rows(run.record)), "",
        *_findings(run.verdicts),
    ]  # fmt: skip
    return "\n".join(lines).rstrip() + "\n"


def _table(titles: tuple[str, ...], rows: Iterable[Iterable[str]]) -> list[str]:
    head = [titles, tuple("---" for _ in titles)]
    return [f"| {' | '.join(cells)} |" for cells in [*head, *rows]]


def _process_rows(run: Run) -> Iterable[tuple[str, ...]]:
    half = second_half(run.samples, run.begin, run.end)
    for part in PARTS:
        for title, value in VALUES.items():
            everywhere = [measured for _, measured in series(run.samples, part, value)]
            settled = [measured for _, measured in series(half, part, value)]
            yield (
                part,
                title,
                _brief(value(run.idle.usage[part])),
                _brief(fmean(settled) if settled else None),
                _brief(max(everywhere, default=None)),
                _brief(value(run.samples[-1].usage[part])),
            )


def _brief(value: float | None) -> str:
    return "not readable" if value is None else f"{value:.0f}"


def _step_rows(record: Record) -> Iterable[tuple[str, ...]]:
    for step, seconds in sorted(record.seconds.items()):
        statuses = _counted(record.statuses[step])
        times = (f"{percentile(seconds, share) * 1000:.0f}" for share in (0.5, 0.99))
        yield (step, f"{len(seconds):,}", *times, statuses)


def _counted(statuses: Mapping[int, int]) -> str:
    return ", ".join(f"{status or 'none'}: {count:,}" for status, count in sorted(statuses.items()))


def _findings(verdicts: Iterable[Figure]) -> Iterable[str]:
    for verdict in verdicts:
        if found := verdict.raw.get("found"):
            yield from (f"## {verdict.name}", "", "```text", *found[:SHOWN], "```", "")
            if len(found) > SHOWN:
                yield from (f"And {len(found) - SHOWN:,} more.", "")
