"""Finds the log lines that a run without faults does not explain."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

LEVELS = {"warning", "error", "critical"}
EXPLAINED = {
    "setting.refused_in_production": "the stack runs with development's secrets and limits",
}
"""Events that the soak itself causes, each with its cause."""
READY = "ready http://"
POSTGRES = re.compile(r"\b(WARNING|ERROR|FATAL|PANIC): ")
VALKEY = re.compile(r"^\d+:\w .* # ")


def service_troubles(log: Path) -> Iterator[str]:
    """Yield each unexplained line of the services; once ready, nothing writes past their log."""
    ready = False
    for line in _lines(log):
        if line.startswith(READY):
            ready = True
        elif is_trouble(line, ready=ready):
            yield line


def is_trouble(line: str, *, ready: bool = True) -> bool:
    """Return whether a line of a service needs an explanation that it does not have."""
    try:
        event = json.loads(line)
    except ValueError:
        return ready and bool(line.strip())
    if not isinstance(event, dict):
        return ready
    return event.get("level") in LEVELS and event.get("event") not in EXPLAINED


def server_troubles(log: Path, beginning: int) -> Iterator[str]:
    """Yield what PostgreSQL or Valkey warns of."""
    for line in _lines(log, beginning):
        if POSTGRES.search(line) or VALKEY.search(line):
            yield f"{log.stem}: {line}"


def _lines(log: Path, beginning: int = 0) -> Iterator[str]:
    with log.open("rb") as file:
        file.seek(beginning)
        for line in file:
            yield line.decode(errors="replace").rstrip("\n")
