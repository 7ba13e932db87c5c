"""An export of a large account: CPU, memory, and how others are answered beside it."""

import asyncio
import time
from pathlib import Path
from statistics import median
from uuid import UUID

import asyncpg
from aiohttp import ClientSession

from tests.bench.bench import Bench
from tests.bench.child import BenchError
from tests.bench.table import Figure, at_most, brief
from tests.bench.uploading import lags, memory
from tests.support.exports import EVENTS

COUNT = 300_000
MOST_GROWTH_MB = 10
MOST_LAG_MS = 50


async def export(bench: Bench) -> list[Figure]:
    """300,000 events exported by one user while somebody else asks `/healthz`."""
    [(session, _)] = await bench.seeds.sessions(1)
    user = await _give_events(bench, session)
    fresh = bench.stack.mint().token(user, sid=str(session), auth_time=int(time.time()))
    with bench.stack.auth() as auth:
        async with ClientSession(f"http://127.0.0.1:{auth.port}") as http, ClientSession() as other:
            Path(f"/proc/{auth.pid}/clear_refs").write_text("5")  # forget the peak so far
            before, cpu, began = memory(auth, "VmRSS"), auth.cpu(), time.perf_counter()
            looking = asyncio.create_task(lags(other, auth))
            await _export(http, fresh)
            seconds, cpu = time.perf_counter() - began, auth.cpu() - cpu
            looking.cancel()
            waits = sorted(await looking)
            growth = memory(auth, "VmHWM") - before
    name = f"export of {COUNT:,} events"
    share = f" ({cpu:.1f} s of CPU in {seconds:.1f} s)"
    asked = f" (median {brief(median(waits))} ms)"
    return [
        at_most(f"{name}, memory", growth, MOST_GROWTH_MB, "MB", remark=share),
        at_most(f"{name}, /healthz at most", waits[-1], MOST_LAG_MS, "ms", remark=asked),
    ]


async def _give_events(bench: Bench, session: UUID) -> UUID:
    connection = await asyncpg.connect(bench.stack.dsn("auth"))
    query = "select user_id from sessions where id = $1"
    user: UUID = await connection.fetchval(query, session)
    await connection.execute(EVENTS, user, COUNT, timeout=120)
    await connection.execute("vacuum analyze audit_events", timeout=120)
    await connection.close()
    return user


async def _export(http: ClientSession, token: str) -> None:
    headers, length = {"Authorization": f"Bearer {token}"}, 0
    async with http.get("/v1/auth/me/export", headers=headers) as answer:
        async for piece in answer.content.iter_any():
            length += len(piece)
    if answer.status != 200 or length < COUNT * 100:
        raise BenchError(f"an export was answered {answer.status} with {length} bytes")
