"""Webhooks of creatives that fall due while three replicas run, also beside receivers that hang."""

import asyncio
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from aiohttp import ClientSession
from standardwebhooks import Webhook

from tests.bench.bench import Bench
from tests.bench.child import BenchError
from tests.bench.load import percentile
from tests.bench.replicas import REPLICAS
from tests.bench.seed import user_id
from tests.bench.table import Figure, at_most
from tests.support.webhook_receiver import Receiver, answering, open_receiver

DUE, APART_SECONDS = 200, 0.05
HANGING, EACH = 50, 10
ALONE_SECONDS, BESIDE_SECONDS = 1.0, 2.0
GIVE_UP_SECONDS = 60
LOOK_SECONDS = 0.1
WEBHOOKS = "/v1/media/webhooks"


async def webhooks(bench: Bench) -> list[Figure]:
    """Have 20 fall due a second for one webhook: alone, then beside 50 that never answer."""
    with ExitStack() as exits:
        exits.enter_context(bench.stack.auth())
        media = [
            exits.enter_context(bench.stack.media(PUBLISH_WORKER="true")) for _ in range(REPLICAS)
        ]
        sessions = await bench.seeds.sessions(1 + HANGING // EACH)
        try:
            async with (
                ClientSession(f"http://127.0.0.1:{media[0].port}") as http,
                open_receiver() as healthy,
                open_receiver() as hanging,
            ):
                users = [user_id(_index(session)) for session, _ in sessions]
                arrivals: list[float] = []
                healthy.respond = _noting(arrivals)
                secret = await _create(http, sessions[0][1], healthy.url)
                alone = await _posted_after(bench, users[0], healthy, arrivals, secret)
                hanging.respond = _hang
                for user, (_, token) in zip(users[1:], sessions[1:], strict=True):
                    for _ in range(EACH):
                        await _create(http, token, hanging.url)
                    await bench.seeds.due(DUE // EACH, datetime.now(UTC), timedelta(), user)
                beside = await _posted_after(bench, users[0], healthy, arrivals, secret)
                if hanging.connections < HANGING:
                    raise BenchError("not every receiver hangs")
        finally:
            await bench.seeds.no_webhooks()
            await bench.seeds.no_creatives()
    return [
        _figure("due to first POST, p99", alone, ALONE_SECONDS),
        _figure(f"beside {HANGING} webhooks that hang, p99", beside, BESIDE_SECONDS),
    ]


def _index(session: UUID) -> int:
    """The index of a session, which is that of its user."""
    return session.int & 0xFFFF_FFFF_FFFF


def _figure(name: str, seconds: list[float], bound: float) -> Figure:
    remark = f", at most {max(seconds):.2f} s"
    return at_most(name, percentile(seconds, 0.99), bound, "s", remark=remark)


def _noting(arrivals: list[float]) -> Any:
    """Answer 200; note when each request was in, in the order of the receiver's list."""
    accept = answering(200)

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrivals.append(time.time())
        await accept(reader, writer)

    return respond


async def _hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def _create(http: ClientSession, token: str, url: str) -> str:
    """Create a webhook for due creatives; return its secret."""
    body, headers = {"url": url, "events": ["creative.due"]}, {"Authorization": f"Bearer {token}"}
    async with http.post(WEBHOOKS, json=body, headers=headers) as answer:
        if answer.status != 201:
            raise BenchError(await answer.text())
        return str((await answer.json())["secret"])


async def _posted_after(
    bench: Bench, user: UUID, receiver: Receiver, arrivals: list[float], secret: str
) -> list[float]:
    """Seconds from the due time of each creative to the first request about it."""
    before = len(arrivals)
    for _ in range(DUE):
        await bench.seeds.due(1, datetime.now(UTC), timedelta(), user)
        await asyncio.sleep(APART_SECONDS)
    give_up = time.monotonic() + GIVE_UP_SECONDS
    while len(arrivals) < before + DUE:
        if time.monotonic() > give_up:
            raise BenchError("not every creative was delivered")
        await asyncio.sleep(LOOK_SECONDS)
    first: dict[str, float] = {}
    for request, arrived in zip(receiver.requests[before:], arrivals[before:], strict=True):
        data = Webhook(secret).verify(request.body, dict(request.headers))["data"]
        due = datetime.fromisoformat(data["due_at"]).timestamp()
        first.setdefault(data["id"], arrived - due)
    if len(first) != DUE:
        raise BenchError("a creative was delivered twice")
    return list(first.values())
