"""Measures whether searches of strangers slow down those who have signed in."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

from tests.bench.bench import Bench
from tests.bench.child import Child
from tests.bench.client import Lines
from tests.bench.generator import Load
from tests.bench.paths import SCHEDULE, callers, reading
from tests.bench.raw_http import render
from tests.bench.table import Figure, at_most

PRODUCTS = 120_000
SEARCHES = 90
READERS = 8
MOST_SLOWER = 2.0
PAUSE_SECONDS = 1.0
"""What `Retry-After` asks for; the gateway lets one address ask hardly more often."""

SETTLE_SECONDS = 0.5
# Nearly every product has the word, but none of the newest: the index is asked, and finds them all.
SEARCH = render("GET", "/v1/media/products/public?q=lamp")


async def searches_beside(bench: Bench) -> list[Figure]:
    """GET /scheduled of signed-in readers, alone and beside 90 searches, in turns."""
    tokens = callers(bench, bench.options.creatives)
    alone: list[Load] = []
    beside: list[Load] = []
    answered: Counter[int] = Counter()
    with bench.stack.auth(), bench.stack.media() as media:
        await bench.seeds.creatives(bench.options.creatives)
        await bench.seeds.products(PRODUCTS, chairs=10_000)
        await _read(bench, media, tokens)  # unmeasured: connections are made, pages are read in
        for _ in range(bench.options.rounds):
            alone.append(await _read(bench, media, tokens))
            async with _searching(media, answered):
                beside.append(await _read(bench, media, tokens))
    await bench.seeds.no_products()
    await bench.seeds.no_creatives()
    slower = median(two.p99_ms / one.p99_ms for one, two in zip(alone, beside, strict=True))
    p99s = [median(load.p99_ms for load in loads) for loads in (beside, alone)]
    found = ", ".join(f"{count} x {status}" for status, count in sorted(answered.items()))
    name = f"schedule p99 beside {SEARCHES} searches of {PRODUCTS:,} products, for p99 alone"
    remark = f" ({p99s[0]:.1f} for {p99s[1]:.1f} ms; searches: {found})"
    return [at_most(name, slower, MOST_SLOWER, "x", remark=remark)]


async def _read(bench: Bench, media: Child, tokens: list[str]) -> Load:
    requests = reading(SCHEDULE, tokens)()
    return await asyncio.to_thread(
        bench.generator.run,
        media.port,
        requests,
        seconds=bench.options.seconds,
        expect=200,
        connections=READERS,
    )


@asynccontextmanager
async def _searching(media: Child, answered: Counter[int]) -> AsyncIterator[None]:
    """Have so many strangers search at once, and each again a second after its answer."""
    lines = Lines(media.port, SEARCHES)

    async def search() -> None:
        while True:
            answered[(await lines.ask(SEARCH)).status] += 1
            await asyncio.sleep(PAUSE_SECONDS)

    strangers = [asyncio.create_task(search()) for _ in range(SEARCHES)]
    await asyncio.sleep(SETTLE_SECONDS)
    try:
        yield
    finally:
        for stranger in strangers:
            stranger.cancel()
        await asyncio.gather(*strangers, return_exceptions=True)
        lines.close()
