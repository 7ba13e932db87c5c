"""Subscribers of revocations in one process: `python -m tests.bench.followers COUNT`.

It says `ready` once all of them are fresh, and ends with SIGTERM.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
import uvloop

from shared.clock import SystemClock
from shared.revocation.subscriber import open_revocation_cache
from tests.bench.child import CHECKOUT, BenchError
from tests.bench.stack import KEPT, Stack

LOOK_SECONDS = 0.05
READY_SECONDS = 60


async def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    clock, key, url = SystemClock(), os.environ["FOLLOWER_KEY"].encode(), os.environ["FOLLOWER_URL"]
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with AsyncExitStack() as exits:
        caches = [
            await exits.enter_async_context(open_revocation_cache(url, [key], clock))
            for _ in range(int(sys.argv[1]))
        ]
        while not all(cache.is_fresh for cache in caches):
            await asyncio.sleep(LOOK_SECONDS)
        print("ready", flush=True)
        await ended.wait()


@asynccontextmanager
async def following(stack: Stack, count: int) -> AsyncIterator[None]:
    """Have so many subscribers more inside the block."""
    environment = {key: os.environ[key] for key in KEPT if key in os.environ}
    environment["FOLLOWER_KEY"] = stack.revocation_key().decode()
    environment["FOLLOWER_URL"] = stack.redis_url("media")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.followers", str(count),
        env=environment, cwd=CHECKOUT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_SECONDS):
            if await process.stdout.readline() != b"ready\n":
                raise BenchError("the subscribers have ended")
        yield
    finally:
        process.terminate()
        await process.wait()


if __name__ == "__main__":
    uvloop.run(main())
