"""What a decoder may hold and do between its jobs: no more than before its first.

A decoder that a picture has taken over could keep threads, other users' files or the processor.
"""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from media_service.image.worker.job_time import cpu_seconds

JOBS = 1000
"""After so many a decoder is replaced, whatever it looks like."""
IDLE_CPU_SECONDS = 0.25
"""Between two jobs an honest decoder only waits."""
GRACE_SECONDS = 0.02
"""The kernel shows a thread a little longer than the process that waited for its end."""


@dataclass(frozen=True, slots=True)
class _Held:
    threads: int
    descriptors: int
    targets: frozenset[str]


class IdleState:
    """Compares one process with what it was before its first job.

    Our codecs keep no pool of threads: `prepare` gives AVIF one, and the others start none.
    """

    def __init__(self, pid: int) -> None:
        """Look at the process, which waits for its first job."""
        self._pid, self._jobs = pid, 0
        self._held = _look(pid)
        self._cpu = cpu_seconds(pid)

    def end_job(self) -> None:
        """Count a job whose answer has come; processor time is idle time from now on."""
        self._jobs += 1
        self._cpu = cpu_seconds(self._pid)

    async def fault(self) -> str | None:
        """Return why the process is to be replaced, None where it is as it was, or soon is."""
        if await asyncio.to_thread(self._find_fault) is None:
            return None
        await asyncio.sleep(GRACE_SECONDS)
        return await asyncio.to_thread(self._find_fault)

    def _find_fault(self) -> str | None:
        if self._jobs >= JOBS:
            return "jobs"
        if cpu_seconds(self._pid) - self._cpu > IDLE_CPU_SECONDS:
            return "processor"
        if self._held is None:
            return None
        return _excess(self._pid, self._held)


def _look(pid: int) -> _Held | None:
    """Return what the process holds, None where this machine does not show it."""
    try:
        targets = [str(one.readlink()) for one in Path(f"/proc/{pid}/fd").iterdir()]
        return _Held(_threads(pid), len(targets), frozenset(targets))
    except OSError:
        return None


def _excess(pid: int, held: _Held) -> str | None:
    try:
        if _threads(pid) > held.threads:
            return "threads"
        with os.scandir(f"/proc/{pid}/fd") as descriptors:
            for number, one in enumerate(descriptors, 1):
                if number > held.descriptors or str(Path(one.path).readlink()) not in held.targets:
                    return "files"
    except OSError:
        return "hidden"  # it has ended, or shows no more what it showed before
    return None


def _threads(pid: int) -> int:
    """Return how many there are: a folder's links count its folders, and here each is a thread."""
    return Path(f"/proc/{pid}/task").stat().st_nlink - 2
