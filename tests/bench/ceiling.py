"""What the generator can do at most, so that no figure near it is taken for the server's."""

from tests.bench.bench import Bench
from tests.bench.paired import Side, turn
from tests.bench.raw_http import render
from tests.bench.table import Figure


async def ceiling(bench: Bench) -> list[Figure]:
    """The generator against a fixed answer, and against aiohttp's hello."""
    request = [render("GET", "/hello")]
    figures = []
    with bench.stack.bare() as bare, bench.stack.floors() as floors:
        for name, server in (("generator's ceiling", bare), ("aiohttp hello", floors)):
            found = turn(bench.generator, Side(server, lambda: request, 200), bench.options.seconds)
            load = found.load
            shown = (
                f"{found.cpu_ms:.3f} ms, {load.rate:,.0f}/s, generator at"
                f" {load.generator_share:.0%} of a core"
            )
            figures.append(Figure(name, shown, raw=found.raw()))
    return figures
