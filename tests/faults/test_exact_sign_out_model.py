"""The checker Spin visits every order of steps of `docs/models/exact_sign_out.pml`."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.long_runs import amount

MODEL = Path("docs/models/exact_sign_out.pml").resolve()
SEARCH_DEPTH = 1_000_000
MEMORY_MEGABYTES = 2000
FAULTS = amount(0, 1)
NEEDED_WITHOUT_FAULT = (1, 2, 3, 4, 5, 8, 10)
RULES = range(1, 15) if FAULTS else NEEDED_WITHOUT_FAULT

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not (shutil.which("spin") and shutil.which("gcc")), reason="spin or gcc is not installed"
    ),
]


def run(command: Sequence[str | Path], directory: Path) -> str:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def search(directory: Path, *options: str) -> str:
    """Return what the checker reports; `-E`: a publisher that answers 503 ends the search."""
    run(["spin", f"-DFAULTS={FAULTS}", *options, "-a", MODEL], directory)
    memory = f"-DMEMLIM={MEMORY_MEGABYTES}"
    safety = ["-DSAFETY", "-DNOREDUCE"]
    run(["gcc", "-O2", "-w", *safety, memory, "-o", "pan", "pan.c"], directory)
    return run(["./pan", "-E", f"-m{SEARCH_DEPTH}"], directory)


def count_errors(report: str) -> int:
    found = re.search(r"errors: (\d+)", report)
    assert found is not None, report
    return int(found[1])


def test_exact_sign_out_all_rules_keep_the_promise(tmp_path: Path) -> None:
    report = search(tmp_path)
    assert count_errors(report) == 0, report
    assert "Search not completed" not in report, report
    assert "max search depth too small" not in report, report


@pytest.mark.parametrize("rule", RULES)
def test_exact_sign_out_without_a_rule_breaks_the_promise(rule: int, tmp_path: Path) -> None:
    report = search(tmp_path, f"-DNO_R{rule}")
    assert "assertion violated" in report, report
