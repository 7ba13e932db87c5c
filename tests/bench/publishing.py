"""Creatives that fall due while three replicas run: how long until each is published."""

import asyncio
import math
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

from tests.bench.bench import Bench
from tests.bench.child import BenchError
from tests.bench.load import percentile
from tests.bench.replicas import REPLICAS
from tests.bench.table import Figure, at_most

AT_ONCE, ONE_BY_ONE = 10_000, 100
AHEAD = timedelta(seconds=5)
APART_SECONDS = 0.1
BOUND_SECONDS = 1.0
GIVE_UP_SECONDS = 120
LOOK_SECONDS = 0.1


async def publishing(bench: Bench) -> list[Figure]:
    """Have 10,000 fall due within a second, then 100 that are for the instant of their creation."""
    with ExitStack() as exits:
        exits.enter_context(bench.stack.auth())
        for _ in range(REPLICAS):
            exits.enter_context(bench.stack.media(PUBLISH_WORKER="true"))
        try:
            first = datetime.now(UTC) + AHEAD
            await bench.seeds.due(AT_ONCE, first, timedelta(seconds=1) / AT_ONCE)
            await asyncio.sleep(AHEAD.total_seconds())
            at_once = await _published_after(bench)
            await bench.seeds.no_creatives()
            for _ in range(ONE_BY_ONE):
                await bench.seeds.due(1, datetime.now(UTC), timedelta())
                await asyncio.sleep(APART_SECONDS)
            one_by_one = await _published_after(bench)
        finally:
            await bench.seeds.no_creatives()
    p99, worst = percentile(at_once, 0.99), max(one_by_one)
    return [
        Figure(
            f"{AT_ONCE:,} due in a second: each published once",
            f"p99 {p99:.2f} s",
            raw={"p99": p99},
        ),
        at_most(
            "for now: published, p99",
            percentile(one_by_one, 0.99),
            BOUND_SECONDS,
            "s",
            remark=f", at most {worst:.2f} s",
        ),
    ]


async def _published_after(bench: Bench) -> list[float]:
    """Seconds from each creative's due time, once all of them are published."""
    give_up = time.monotonic() + GIVE_UP_SECONDS
    while math.isnan(sum(found := await bench.seeds.publications())):
        if time.monotonic() > give_up:
            raise BenchError("not every creative was published once")
        await asyncio.sleep(LOOK_SECONDS)
    return found
