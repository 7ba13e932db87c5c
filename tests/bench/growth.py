"""Measures whether a request costs more among many users, sessions and creatives than among few."""

from collections.abc import Awaitable, Callable

from tests.bench.bench import Bench
from tests.bench.paired import Side, interleave
from tests.bench.paths import SCHEDULE, SIGNUP, Visitors, callers, reading
from tests.bench.raw_http import render
from tests.bench.table import Figure, at_most, ratios

FEW = 1_000
MOST_GROWTH = 1.3


async def cost_of_growth(bench: Bench) -> list[Figure]:
    """CPU of verifying and of reading the schedule, among 1,000 and among as many as asked for."""
    options = bench.options
    return [
        await _growth(bench, "verify code", _verify, options.users),
        await _growth(bench, "schedule read", _schedule, options.creatives),
    ]


async def _growth(
    bench: Bench, name: str, cost: Callable[[Bench, int], Awaitable[float]], many: int
) -> Figure:
    grown = await cost(bench, many) / await cost(bench, FEW)
    return at_most(f"growth of {name}, {many:,} for {FEW:,}", grown, MOST_GROWTH, "x")


async def _verify(bench: Bench, users: int) -> float:
    await bench.seeds.no_users()
    await bench.seeds.users(users)
    with bench.stack.auth(module="tests.bench.launcher") as auth:
        return _in_hellos(bench, Visitors(bench, auth, SIGNUP, SIGNUP, users).side())


async def _schedule(bench: Bench, creatives: int) -> float:
    requests = reading(SCHEDULE, callers(bench, creatives))
    with bench.stack.auth(), bench.stack.media() as media:
        await bench.seeds.creatives(creatives)
        found = _in_hellos(bench, Side(media, requests, expect=200))
    await bench.seeds.no_creatives()
    return found


def _in_hellos(bench: Bench, side: Side) -> float:
    """CPU of a request in that of aiohttp's hello, so that a machine's moods drop out."""
    hello = [render("GET", "/hello")]
    with bench.stack.floors() as floors:
        real, unit = interleave(
            bench.generator,
            side,
            Side(floors, lambda: hello, 200),
            rounds=bench.options.rounds,
            seconds=bench.options.seconds,
        )
    return 1 / ratios([one.cpu_ms for one in unit], [one.cpu_ms for one in real])
