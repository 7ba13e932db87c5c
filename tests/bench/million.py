"""What searches cost among a million products."""

import asyncio
from urllib.parse import quote

from tests.bench.bench import Bench
from tests.bench.child import Child
from tests.bench.generator import Load
from tests.bench.raw_http import render
from tests.bench.table import Figure, at_most

PRODUCTS = 1_000_000
MOST_MS = 50
SEARCHES = {
    "a word of nearly all, but of none of the newest thousand": "lamp",
    "a word of all": "bright",
    "one letter": "d",
    "two letters": "no",
    "a part of a word of all": "righ",
    "one product": "777777",
    "a hundred products": "7777",
    "two words of one product": "desk 424242",
    "no product": "unobtainable",
    "two words that never meet": "lamp chair",
    "a word of the newest alone": "chair",
}


async def search_million(bench: Bench) -> list[Figure]:
    """GET /products/public of one stranger after the other, by what is asked."""
    figures = []
    await bench.seeds.products(PRODUCTS)
    with bench.stack.auth(), bench.stack.media() as media:
        for name, text in SEARCHES.items():
            request = render("GET", f"/v1/media/products/public?q={quote(text)}")
            await _load(bench, media, request)  # unmeasured: pages are read in
            load = await _load(bench, media, request)
            remark = f" (p50 {load.p50_ms:.1f})"
            title = f"search of {PRODUCTS:,} products, p99: {name}"
            figures.append(at_most(title, load.p99_ms, MOST_MS, "ms", remark=remark))
    await bench.seeds.no_products()
    return figures


async def _load(bench: Bench, media: Child, request: bytes) -> Load:
    return await asyncio.to_thread(
        bench.generator.run,
        media.port,
        [request],
        seconds=bench.options.seconds,
        expect=200,
        connections=1,
    )
