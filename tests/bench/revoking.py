"""From the commit of a logout to the token's refusal by every replica, through HTTP.

The figure is the time until the last replica's refusal arrived. It is too high by up to one pause
between two requests and the round trip of one request.
"""

import asyncio
import math
import time
from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from tests.bench.bench import Bench
from tests.bench.child import BenchError
from tests.bench.client import Lines
from tests.bench.feed import feeding
from tests.bench.load import percentile
from tests.bench.replicas import HONOURED, REFUSED, Replicas, asking, replicas, signing_out
from tests.bench.table import Figure

SECONDS = 6.0
SETTLE_SECONDS = 4.0
GAP_SECONDS = 0.02  # between two watched ones, of which there is one at a time
POLL_SECONDS = 0.001
GIVE_UP_SECONDS = 30
LOOKED_AT = 400
KEPT_UP = 0.95
TOLD, PENDING = 204, 503
COMMITTED = """
SELECT id, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 AS at FROM sessions
WHERE id = ANY($1)"""


@dataclass
class Watch:
    """One logout that is looked at: when each replica first refused, and what looking cost."""

    session: UUID
    refused: list[float] = field(default_factory=list)
    round_trips: list[float] = field(default_factory=list)


async def _until_refused(watch: Watch, lines: Lines, token: str) -> None:
    request = asking(token)
    until = time.perf_counter() + GIVE_UP_SECONDS
    while (seen := await lines.ask(request)).status != REFUSED:
        if seen.status != HONOURED or time.perf_counter() > until:
            raise BenchError(f"a replica still answered {seen.status}")
        watch.round_trips.append(seen.received - seen.sent)
        await asyncio.sleep(POLL_SECONDS)
    watch.refused.append(seen.received)


@dataclass
class Storm:
    """So many logouts a second, and what became of them."""

    sessions: list[tuple[UUID, str]]
    rate: int
    answers: Counter[int] = field(default_factory=Counter)
    watches: list[Watch] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    reached: float = 0.0
    until: float = 0.0
    _next_watch: float = 0.0

    @property
    def kept_up(self) -> bool:
        """Return whether the answers came as fast as they were asked for, and told everybody."""
        return self.reached > self.rate * KEPT_UP and PENDING not in self.answers

    async def run(self, found: Replicas) -> None:
        """Sign everybody out at the rate, whether or not the answers keep up."""
        began = time.perf_counter()
        self.until = began + SECONDS * 1.2
        async with asyncio.TaskGroup() as tasks:
            for index, (session, token) in enumerate(self.sessions):
                late = began + index / self.rate - time.perf_counter()
                if late > 0:
                    await asyncio.sleep(late)
                tasks.create_task(self._sign_out(found, session, token))
        self.reached = self.answers.total() / (time.perf_counter() - began)

    async def _sign_out(self, found: Replicas, session: UUID, token: str) -> None:
        watching = None
        async with found.auth.free() as line:
            if time.perf_counter() > self.until:
                return  # too far behind: what is not sent counts for nothing
            if time.perf_counter() > self._next_watch:
                self._next_watch = math.inf
                watching = asyncio.create_task(self._watch(found, session, token))
            self.answers[(await line.ask(signing_out(token))).status] += 1
        if watching:
            await watching

    async def _watch(self, found: Replicas, session: UUID, token: str) -> None:
        """Look at every replica until it refuses.

        One session is watched at a time: looks that take the CPU from the services would only
        show themselves.
        """
        watch = Watch(session)
        async with asyncio.TaskGroup() as looks:
            for media in found.media:
                looks.create_task(_until_refused(watch, media, token))
        self.watches.append(watch)
        self._next_watch = time.perf_counter() + GAP_SECONDS


async def _seen(bench: Bench, found: Replicas, rate: int) -> Storm:
    """Sign people out at the rate, and check that it was so."""
    storm = Storm(await bench.seeds.sessions(int(rate * SECONDS)), rate)
    some = [token for _, token in storm.sessions[:: max(1, len(storm.sessions) // LOOKED_AT)]]
    if set(await found.everywhere(some)) != {HONOURED}:
        raise BenchError("a fresh session is not honoured")
    await storm.run(found)
    if set(storm.answers) - {TOLD, PENDING}:
        raise BenchError(f"logouts were answered {dict(storm.answers)}")
    statuses = await found.everywhere(some)
    if set(statuses) != {REFUSED} and storm.kept_up:
        raise BenchError(f"revoked sessions were answered {dict(statuses)}")
    await _learn_commits(bench, storm)
    return storm


async def _learn_commits(bench: Bench, storm: Storm) -> None:
    """Learn when PostgreSQL committed each watched logout, on the same wall clock as ours."""
    connection = await asyncpg.connect(bench.stack.dsn("auth"))
    rows = await connection.fetch(COMMITTED, [watch.session for watch in storm.watches])
    await connection.close()
    committed = {row["id"]: row["at"] for row in rows}
    storm.took = [(max(one.refused) - committed[one.session]) * 1000 for one in storm.watches]


def _shown(name: str, storm: Storm, bound_ms: float | None) -> Figure:
    looks = [trip * 1000 for one in storm.watches for trip in one.round_trips]
    p50, p99 = percentile(storm.took, 0.5), percentile(storm.took, 0.99)
    raw = {
        "p50_ms": p50,
        "p99_ms": p99,
        "max_ms": max(storm.took),
        "watched": len(storm.took),
        "rate_wanted": storm.rate,
        "rate_reached": storm.reached,
        "answers": dict(storm.answers),
        "look_p50_ms": percentile(looks, 0.5),
        "look_p99_ms": percentile(looks, 0.99),
    }
    late = f", {storm.answers[PENDING]:,} pending" if PENDING in storm.answers else ""
    in_time = bound_ms and storm.kept_up and p99 <= bound_ms
    return Figure(
        name,
        f"p50 {p50:.1f}, p99 {p99:.1f} ms; {storm.reached:,.0f}/s{late}",
        floor=f"a look: p50 {raw['look_p50_ms']:.1f}, p99 {raw['look_p99_ms']:.1f} ms",
        target=f"p99 ≤ {bound_ms:.0f} ms" if bound_ms else "",
        met=bool(in_time) if bound_ms else None,
        raw=raw,
    )


async def logout_to_refusal(bench: Bench) -> list[Figure]:
    """Three replicas: at a calm rate, among a storm of others, and with as many as one process of
    auth_service can take.
    """
    async with replicas(bench.stack) as found:
        calm = await _seen(bench, found, 100)
        async with feeding(bench, 2_000, SECONDS + SETTLE_SECONDS):
            among = await _seen(bench, found, 40)
        many = await _seen(bench, found, 2_000)
    return [
        _shown("logout to refusal, 100/s", calm, 10),
        _shown("… among 2,000/s from elsewhere", among, 20),
        _shown("… 2,000/s asked of one process", many, None),
    ]
