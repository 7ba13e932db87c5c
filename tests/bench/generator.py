"""The load generator as the bench holds it."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.bench.child import CHECKOUT, BenchError

CONNECTIONS = 64


@dataclass(frozen=True)
class Load:
    """What came of one job."""

    statuses: dict[int, int]
    seconds: float
    generator_cpu: float
    p50_ms: float
    p99_ms: float

    @property
    def count(self) -> int:
        return sum(self.statuses.values())

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.count / self.seconds

    @property
    def generator_share(self) -> float:
        """How much of a core the generator took: near 1 it was itself the limit."""
        return self.generator_cpu / self.seconds


class Generator:
    """A context manager around the process; `run` returns when the job is done."""

    def __init__(self, folder: Path) -> None:
        self._requests = folder / "requests"
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.load"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.communicate()  # its input ends, and so does it

    def run(
        self,
        port: int,
        requests: list[bytes],
        *,
        seconds: float,
        expect: int | None,
        once: bool = False,
        connections: int = CONNECTIONS,
    ) -> Load:
        """Send `requests` in their order, again and again unless `once`, for `seconds`.

        Raises:
            BenchError: an answer had another status than `expect`, if it is given, or none came.
        """
        self._requests.write_bytes(b"\0".join(requests))
        job = {
            "port": port,
            "requests": str(self._requests),
            "seconds": seconds,
            "once": once,
            "connections": connections,
        }
        answer = self._ask(job)
        if "error" in answer:
            raise BenchError(f"port {port}: {answer['error']}")
        load = Load(
            statuses={int(status): count for status, count in answer["statuses"].items()},
            seconds=answer["seconds"],
            generator_cpu=answer["cpu_seconds"],
            p50_ms=answer["latencies_ms"][0],
            p99_ms=answer["latencies_ms"][1],
        )
        if expect is not None and set(load.statuses) != {expect}:
            raise BenchError(f"port {port}: expected {expect} alone, got {load.statuses}")
        return load

    def _ask(self, job: dict[str, Any]) -> dict[str, Any]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise BenchError("the generator was not started")
        print(json.dumps(job), file=process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(process.stdout.readline())
        return answer
