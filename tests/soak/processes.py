"""What each part of the stack holds, as Linux counts it.

Memory is `RssAnon`: what a process has written itself. Pages of program files are left out, as
their share changes with other programs, and so is PostgreSQL's shared cache of fixed size. Any
user may read it, also of services that deny inspection, and sums over processes are right.

Of PostgreSQL only the processes that serve connections are counted, as growth is judged for each
connection. Their table files are left out: each process keeps up to a thousand open.
"""

import asyncio
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.cpu import MIB
from tests.local.processes import descendants

_BACKEND = re.compile(rb"postgres: \S+ \S+ (?:\[local\]|\S+\(\d+\))")
PARTS = ("front", "auth_service", "media_service", "decoders", "PostgreSQL", "Valkey")


@dataclass(frozen=True)
class Usage:
    """What the processes of one part hold. `connections`: sockets, None where unreadable."""

    processes: int = 0
    memory: float = 0
    descriptors: int = 0
    connections: int | None = 0

    def __add__(self, other: "Usage") -> "Usage":
        counts = (self.connections, other.connections)
        return Usage(
            self.processes + other.processes,
            self.memory + other.memory,
            self.descriptors + other.descriptors,
            None if None in counts else sum(count or 0 for count in counts),
        )


@dataclass(frozen=True)
class Sample:
    """One look at every part, `at` seconds after the beginning."""

    at: float
    usage: dict[str, Usage]


@dataclass
class Sampler:
    """Looks at a launcher's processes again and again; `sample` can be asked for one more."""

    pid: int
    interval: float
    began: float = field(default_factory=time.monotonic)
    samples: list[Sample] = field(default_factory=list)

    def now(self) -> float:
        return time.monotonic() - self.began

    def sample(self) -> Sample:
        found = dict.fromkeys(PARTS, Usage())
        for pid in (self.pid, *descendants(self.pid)):
            part = "front" if pid == self.pid else part_of(pid)
            if part and (usage := usage_of(pid, files=part != "PostgreSQL")):
                found[part] += usage
        self.samples.append(Sample(self.now(), found))
        return self.samples[-1]

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            await asyncio.to_thread(self.sample)
            await asyncio.sleep(self.interval)


def part_of(pid: int) -> str | None:
    """Return which part a process belongs to; None for one that has ended or is not counted."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return None
    if _BACKEND.match(words[0]):
        return "PostgreSQL"
    if b"/valkey-server" in words[0]:
        return "Valkey"
    if b"media_service.image.worker.decoder" in words:
        return "decoders"
    return next((name for name in PARTS if name.encode() in words), None)


def usage_of(pid: int, *, files: bool = True) -> Usage | None:
    """Return what a process holds, None when it has ended; `files`: count open files too."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        memory = next((int(line.split()[1]) for line in lines if line.startswith("RssAnon:")), 0)
        folder = Path(f"/proc/{pid}/fd")
        try:
            targets = _targets(folder)
        except PermissionError:  # it denies inspection; since Linux 6.2 the size is the count
            return Usage(1, memory / MIB, folder.stat().st_size, None)
    except (FileNotFoundError, ProcessLookupError):
        return None
    sockets = sum(target.startswith("socket:") for target in targets)
    counted = [target for target in targets if files or not target.startswith("/")]
    return Usage(1, memory / MIB, len(counted), sockets)


def _targets(folder: Path) -> list[str]:
    found = []
    for entry in folder.iterdir():
        try:
            found.append(str(entry.readlink()))
        except FileNotFoundError:
            continue  # it was closed meanwhile
    return found
