"""Redis away while sessions are revoked, and Redis back with nothing in it."""

import asyncio
import time
from collections import Counter

from shared.revocation.message import REVOCATION_HEAD
from tests.bench.bench import Bench
from tests.bench.child import BenchError
from tests.bench.replicas import HONOURED, REFUSED, Replicas, replicas
from tests.bench.table import Figure, at_most

SESSIONS = 1_000
ROWS = 100_000
LOOK_SECONDS = 0.02
GIVE_UP_SECONDS = 120
GRACE_SECONDS = 1.0
PENDING = {204, 503}  # told at once, or revoked and to be published


async def redis_away(bench: Bench) -> list[Figure]:
    """Revoke 1,000 sessions while Redis is away; look 1 s after it is back."""
    stack, options = bench.stack, bench.options
    sessions = await bench.seeds.sessions(SESSIONS)
    tokens = [token for _, token in sessions]
    async with replicas(stack) as found:
        if set(await found.everywhere(tokens)) != {HONOURED}:
            raise BenchError("a fresh session is not honoured")
        began = time.perf_counter()
        frozen = options.fault == "freeze"
        stack.freeze_redis() if frozen else stack.kill_redis()
        answers = Counter(
            seen.status for seen in await asyncio.gather(*map(found.sign_out, tokens))
        )
        signed_out = time.perf_counter() - began
        await asyncio.sleep(max(0.0, options.outage - signed_out))
        away = time.perf_counter() - began
        stack.thaw_redis() if frozen else stack.valkey.start()
        back = time.perf_counter()
        await asyncio.sleep(GRACE_SECONDS)
        statuses = await found.everywhere(tokens)
        dead_after = await _until_all_refused(found, tokens, back)
    if set(answers) - PENDING:
        raise BenchError(f"logouts were answered {dict(answers)}")
    honoured = statuses[HONOURED]
    return [
        Figure(
            f"{SESSIONS:,} revoked in {away:.0f} s without Redis",
            f"{honoured} honoured 1 s after ({_counted(statuses)}), all 401 in {dead_after:.1f} s",
            target="0 honoured",
            met=honoured == 0,
            raw={
                "statuses": dict(statuses),
                "logouts": dict(answers),
                "signed_out_after": signed_out,
                "all_refused_after": dead_after,
                "away_seconds": away,
            },
        )
    ]


async def _until_all_refused(found: Replicas, tokens: list[str], since: float) -> float:
    """Seconds since `since` after which every replica answers 401 to every token."""
    async with asyncio.timeout(GIVE_UP_SECONDS):
        for some in (tokens[-1:], tokens):  # looks take the CPU from what they look at
            while set(await found.everywhere(some)) != {REFUSED}:
                await asyncio.sleep(LOOK_SECONDS)
    return time.perf_counter() - since


def _counted(statuses: Counter[int]) -> str:
    return ", ".join(f"{count:,} x {status}" for status, count in sorted(statuses.items()))


async def redis_wiped(bench: Bench) -> list[Figure]:
    """Empty Redis; wait until 100,000 rows are in it again, and in every replica."""
    redis = bench.stack.redis()
    async with replicas(bench.stack) as found:
        probes = await bench.seeds.revocations(ROWS)
        if set(await found.everywhere(probes)) != {HONOURED}:
            raise BenchError("the replicas know already")
        began = time.perf_counter()
        await redis.flushall()
        async with asyncio.timeout(GIVE_UP_SECONDS):
            while not await redis.hget(REVOCATION_HEAD, "epoch"):
                await asyncio.sleep(LOOK_SECONDS)
        reseeded = time.perf_counter() - began
        everywhere = await _until_all_refused(found, probes, began)
    await redis.aclose()
    return [
        at_most(
            f"wiped Redis reseeded from {ROWS:,} rows",
            reseeded,
            3,
            "s",
            remark=f", in every replica after {everywhere:.1f} s",
        )
    ]
