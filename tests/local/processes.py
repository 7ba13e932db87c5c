"""Looking after processes that a test started."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.waiting import describe_unmet

CHECKOUT = Path(__file__).parents[2]


def without_coverage() -> dict[str, str]:
    """Return the environment without what makes a child count its coverage, and slow."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


def alive(pid: int) -> bool:
    """Return whether the process runs; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until the condition holds.

    Raises:
        AssertionError: it does not hold within `seconds`; the message shows the condition.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, describe_unmet(holds, seconds)
        time.sleep(0.01)


def descendants(pid: int) -> set[int]:
    """Return every process below `pid`, however deep."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
    found: set[int] = set()
    fresh = {pid}
    while fresh := {child for child, parent in parents.items() if parent in fresh} - found:
        found |= fresh
    return found
