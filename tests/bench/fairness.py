"""Many callers of one replica at once: how long the slowest wait, and whether any is refused."""

from http import HTTPStatus

from tests.bench.bench import Bench
from tests.bench.generator import Load
from tests.bench.paths import reading
from tests.bench.table import Figure

ME = "/v1/auth/me"
CROWDS = (64, 256, 512)
USERS = 1_000
SECONDS = 4.0  # a caller that is overtaken until its time is over needs three of them


async def fairness(bench: Bench) -> list[Figure]:
    """GET /me by 64, 256 and 512 callers, each of which asks again once it is answered."""
    tokens = [token for _, token in await bench.seeds.sessions(USERS)]
    requests = reading(ME, tokens)()
    with bench.stack.auth() as auth:
        return [
            _figure(
                crowd,
                bench.generator.run(
                    auth.port, requests, seconds=SECONDS, expect=None, connections=crowd
                ),
            )
            for crowd in CROWDS
        ]


def _figure(crowd: int, load: Load) -> Figure:
    refused = load.count - load.statuses.get(HTTPStatus.OK, 0)
    times = f"p50 {load.p50_ms:.1f}, p99 {load.p99_ms:.1f} ms, {load.rate:,.0f}/s"
    return Figure(
        f"fairness, {crowd} callers of /me",
        f"{times}, {refused} of {load.count:,} refused",
        target="0 refused",
        met=not refused,
        raw={"p50_ms": load.p50_ms, "p99_ms": load.p99_ms, "refused": refused, "all": load.count},
    )
