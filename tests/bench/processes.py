"""Each service as a process: how soon it is ready, what it holds when idle."""

import time
from statistics import median

from tests.bench.bench import Bench
from tests.bench.cpu import children, resident_mib
from tests.bench.table import Figure, at_most

STARTS = 3
SETTLE_SECONDS = 1.0
MOST_SECONDS = 1.5
MOST_MIB = 110


async def processes(bench: Bench) -> list[Figure]:
    """Start each service a few times, in turns."""
    starts: dict[str, list[float]] = {"auth_service": [], "media_service": []}
    cpu: dict[str, list[float]] = {"auth_service": [], "media_service": []}
    memory: dict[str, list[float]] = {"auth_service": [], "media_service": []}
    workers: list[float] = []
    for _ in range(STARTS):
        with bench.stack.auth() as auth, bench.stack.media() as media:
            time.sleep(SETTLE_SECONDS)
            for name, service in (("auth_service", auth), ("media_service", media)):
                starts[name].append(service.ready_after)
                cpu[name].append(service.ready_cpu)
                memory[name].append(service.memory())
            workers += [resident_mib(pid) for pid in children(media.pid)]
    figures = []
    for name, ready_after in starts.items():
        held = f", and {brief_list(workers)}" if name == "media_service" and workers else ""
        used = f", with {median(cpu[name]):.2f} s of CPU"
        figures += [
            at_most(f"{name}: start to ready", median(ready_after), MOST_SECONDS, "s", remark=used),
            at_most(f"{name}: idle", median(memory[name]), MOST_MIB, "MiB", remark=held),
        ]
    return figures


def brief_list(workers: list[float]) -> str:
    """How much a process beside the service takes."""
    return f"{median(workers):.0f} in each image worker"
