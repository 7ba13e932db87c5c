"""Detects a decoder that holds or does more between jobs than before its first one.

A decoder that a picture has taken over could keep threads, other users' files or the processor.
"""

import asyncio
import os
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from media_service.image.worker.job_time import cpu_seconds

MAX_JOBS = 1000
"""A decoder is replaced after so many jobs, whatever its state."""
IDLE_CPU_SECONDS = 0.25
"""Between two jobs an honest decoder only waits."""
GRACE_SECONDS = 0.02
"""The kernel shows a thread a little longer than the process that waited for its end."""


@dataclass(frozen=True, slots=True)
class _ProcessState:
    threads: int
    descriptors: int
    targets: frozenset[str]


class IdleState:
    """Compares one process with what it was before its first job.

    Our codecs keep no pool of threads: `load_codecs` gives AVIF one, and the others start none.
    """

    def __init__(self, pid: int) -> None:
        self._pid, self._jobs = pid, 0
        self._initial = _inspect(pid)
        self._cpu = cpu_seconds(pid)

    def end_job(self) -> None:
        """Count a job whose answer has come; processor time is idle time from now on."""
        self._jobs += 1
        self._cpu = cpu_seconds(self._pid)

    async def find_fault(self) -> str | None:
        """Return why the process is to be replaced, None where it is as it was, or soon is."""
        if await asyncio.to_thread(self._current_fault) is None:
            return None
        await asyncio.sleep(GRACE_SECONDS)
        return await asyncio.to_thread(self._current_fault)

    def _current_fault(self) -> str | None:
        if self._jobs >= MAX_JOBS:
            return "jobs"
        if cpu_seconds(self._pid) - self._cpu > IDLE_CPU_SECONDS:
            return "processor"
        if self._initial is None:
            return None
        return _find_excess(self._pid, self._initial)


def _inspect(pid: int, most: int | None = None) -> _ProcessState | None:
    """Return what the process holds, None where this machine does not show it.

    It looks at `most` descriptors: a process that was taken over may have very many.
    """
    try:
        with os.scandir(f"/proc/{pid}/fd") as descriptors:
            targets = [str(Path(one.path).readlink()) for one in islice(descriptors, most)]
        return _ProcessState(_thread_count(pid), len(targets), frozenset(targets))
    except OSError:
        return None


def _find_excess(pid: int, initial: _ProcessState) -> str | None:
    now = _inspect(pid, initial.descriptors + 1)
    if now is None:
        return "hidden"  # it has ended, or shows no more what it showed before
    if now.threads > initial.threads:
        return "threads"
    more = now.descriptors > initial.descriptors or not now.targets <= initial.targets
    return "files" if more else None


def _thread_count(pid: int) -> int:
    """Return how many there are: a folder's links count its folders, and here each is a thread."""
    return Path(f"/proc/{pid}/task").stat().st_nlink - 2
