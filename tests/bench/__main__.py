"""Measure, print one table, write a copy for machines: `python -m tests.bench [ROW ...]`."""

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop

from tests.bench.bench import Bench, Options
from tests.bench.cpu import machine_busy
from tests.bench.generator import Generator
from tests.bench.measure import TOLD, first, measure
from tests.bench.rows import ROWS
from tests.bench.seed import Seeds
from tests.bench.stack import Stack
from tests.bench.table import Figure, render, write_copy

LOOK_SECONDS = 0.5
NOTE = """
CPU ms are the server process' own, user and system; ratios are medians over rounds in which a
service and its floor took turns. Above a generator at its ceiling a rate is marked with >."""


def main() -> int:
    """Run the rows and return the exit code: 0 when all of them ran, whatever the figures say."""
    options = _options()
    began = time.perf_counter()
    figures: list[Figure] = []
    busy = machine_busy(LOOK_SECONDS)
    try:
        with _folder() as folder, _running(options, folder) as bench:
            figures = uvloop.run(measure(bench))
    except* TOLD as wrong:
        print(f"bench: {first(wrong)}", file=sys.stderr)
    if not figures:
        return 1
    seconds = time.perf_counter() - began
    print(f"\n{render(figures)}\n{NOTE}\n{_machine(busy)}; took {seconds:.0f} s.")
    write_copy(options.json, figures, _about(options, busy, seconds))
    print(f"The same for machines: {options.json}")
    return int(any(figure.failed for figure in figures))


@contextmanager
def _running(options: Options, folder: Path) -> Iterator[Bench]:
    with Stack(folder, profiles=options.profiles) as stack, Generator(folder) as generator:
        yield Bench(options, stack, generator, Seeds(stack))


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for this run alone that PostgreSQL's own user can enter."""
    base = Path("/var/tmp") if os.geteuid() == 0 else None  # noqa: S108 - made private right here
    folder = Path(tempfile.mkdtemp(prefix="cheershare-bench-", dir=base))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _machine(busy: float) -> str:
    python = platform.python_version()
    return f"{os.cpu_count()} cores, {busy:.0%} busy with other things before; Python {python}"


def _about(options: Options, busy: float, seconds: float) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(),
        "machine": _machine(busy),
        "platform": platform.platform(),
        "took_seconds": seconds,
        "options": {name: str(value) for name, value in asdict(options).items()},
    }


def _options() -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=f"rows: {', '.join(ROWS)}"
    )
    given = Options()
    parser.add_argument("rows", nargs="*", metavar="ROW", help="names of rows; all by default")
    parser.add_argument("--seconds", type=float, default=given.seconds, help="of one turn")
    parser.add_argument("--rounds", type=int, default=given.rounds)
    parser.add_argument("--users", type=int, default=given.users)
    parser.add_argument("--creatives", type=int, default=given.creatives)
    parser.add_argument("--sign-outs", type=int, default=given.sign_outs, help="tried at once")
    parser.add_argument("--outage", type=float, default=given.outage, help="seconds without Redis")
    parser.add_argument("--fault", choices=("freeze", "kill"), default=given.fault)
    parser.add_argument("--json", type=Path, default=given.json)
    parser.add_argument("--profiles", type=Path, help="write where each service's CPU goes here")
    chosen = parser.parse_args()
    if unknown := set(chosen.rows) - set(ROWS):
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    return Options(**{**vars(chosen), "rows": tuple(chosen.rows)})


if __name__ == "__main__":
    sys.exit(main())
