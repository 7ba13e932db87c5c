"""What a process has used, as Linux counts it."""

import os
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
USER, SYSTEM = 11, 12  # places in /proc/PID/stat after the name
IDLE, WAITING = 3, 4
MIB = 1024


def cpu_seconds(pid: int) -> float:
    """CPU seconds of the process and all its threads, user and system; children apart."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[USER]) + int(fields[SYSTEM])) / TICKS


def resident_mib(pid: int) -> float:
    """Resident memory of the process, MiB; children apart."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / MIB
    return 0.0


def machine_busy(seconds: float) -> float:
    """Share of all cores' time that anybody used during the next `seconds`."""
    before = _machine()
    time.sleep(seconds)
    after = _machine()
    return 1 - (after[1] - before[1]) / max(1, after[0] - before[0])


def _machine() -> tuple[int, int]:
    spent = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(spent), spent[IDLE] + spent[WAITING]


def children(pid: int) -> list[int]:
    """Processes that this one has started and that still run."""
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in found for child in path.read_text().split()]
