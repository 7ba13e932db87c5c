"""The load generator, a process of its own: jobs in as JSON lines, counts out.

Each connection sends its next request when the answer to the last one is in. Requests are bytes
that were rendered before; of an answer only status and length are read.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, cast

import uvloop

from tests.bench.raw_http import measure

CONNECT_SECONDS = 5
STALLED_SECONDS = 20


class Run:
    """One job: what is sent, what has come back, and when to stop."""

    def __init__(self, requests: list[bytes], seconds: float, *, once: bool) -> None:
        self._requests = requests
        self._position = 0
        self._once = once
        self._seconds = seconds
        self._until = 0.0
        self._open = 0
        self.statuses: Counter[int] = Counter()
        self.latencies: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self, connections: list["Client"]) -> None:
        self._until = time.perf_counter() + self._seconds
        self._open = len(connections)
        for connection in connections:
            connection.send_next()

    def next(self) -> bytes | None:
        if self._position >= len(self._requests):
            if self._once:
                return None
            self._position = 0
        self._position += 1
        return self._requests[self._position - 1]

    def answered(self, status: int, sent: float, now: float) -> bool:
        self.statuses[status] += 1
        self.latencies.append(now - sent)
        return now < self._until

    def finished(self) -> None:
        self._open -= 1
        if not self._open and not self.done.done():
            self.done.set_result(None)

    def failed(self, reason: str) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError(reason))


class Client(asyncio.Protocol):
    """One kept-alive connection with one request in flight."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._buffer = bytearray()
        self._sent = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send_next(self) -> None:
        request = self._run.next()
        if request is None or self._transport is None:
            self._run.finished()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            self._buffer += data
            found = measure(self._buffer)
        else:
            found = measure(data)
            if found is None:
                self._buffer += data
        if found is None:
            return
        self._buffer.clear()
        if self._run.answered(found[0], self._sent, time.perf_counter()):
            self.send_next()
        else:
            self._run.finished()

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.failed(f"the server closed a connection: {exc!r}")


async def perform(job: dict[str, Any]) -> dict[str, Any]:
    """Run one job; the numbers are of everything that was sent and answered."""
    requests = Path(job["requests"]).read_bytes().split(b"\0")
    run = Run(requests, job["seconds"], once=job["once"])
    loop = asyncio.get_running_loop()
    transports, clients = [], []
    async with asyncio.timeout(CONNECT_SECONDS):
        for _ in range(job["connections"]):
            transport, client = await loop.create_connection(
                lambda: Client(run), "127.0.0.1", job["port"]
            )
            transports.append(transport)
            clients.append(client)
    began, cpu = time.perf_counter(), time.process_time()
    run.start(clients)
    async with asyncio.timeout(job["seconds"] + STALLED_SECONDS):
        await run.done
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    for transport in transports:
        transport.close()
    return {
        "statuses": dict(run.statuses),
        "seconds": seconds,
        "cpu_seconds": cpu,
        "latencies_ms": [percentile(run.latencies, share) * 1000 for share in (0.5, 0.99)],
    }


def percentile(values: list[float], share: float) -> float:
    """The smallest value that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def main() -> None:
    for line in sys.stdin:
        try:
            answer = uvloop.run(perform(json.loads(line)))
        except (OSError, TimeoutError, ValueError) as wrong:
            answer = {"error": repr(wrong)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
