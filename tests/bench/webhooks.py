"""Webhooks of creatives that fall due while three replicas run, also beside receivers that hang."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
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

DUE, APART = 200, timedelta(seconds=0.05)
AHEAD = timedelta(seconds=5)
HANGING, EACH = 50, 10
BACKLOG = 20
ALONE_SECONDS, BESIDE_SECONDS = 1.0, 2.0
GIVE_UP_SECONDS = 60
LOOK_SECONDS = 0.1
WEBHOOKS = "/v1/media/webhooks"


async def webhooks(bench: Bench) -> list[Figure]:
    """Have 20 fall due a second for one webhook."""
    async with _deliveries(bench, users=1) as deliveries:
        first = datetime.now(UTC) + AHEAD
        return [await deliveries.measure("due to first POST, p99", ALONE_SECONDS, first)]


async def webhooks_beside_hanging(bench: Bench) -> list[Figure]:
    """Have 20 fall due a second for one webhook; with the first, 20 each for 50 that hang."""
    async with (
        _deliveries(bench, users=1 + HANGING // EACH) as deliveries,
        open_receiver() as other,
    ):
        other.respond = _hang
        first = datetime.now(UTC) + AHEAD
        for user in deliveries.users[1:]:
            for _ in range(EACH):
                await deliveries.create(user, other.url)
            await bench.seeds.due(BACKLOG, first, timedelta(), user.id)
        figure = await deliveries.measure(
            f"due to first POST beside {HANGING} webhooks that hang, p99", BESIDE_SECONDS, first
        )
        if other.connections < HANGING:
            raise BenchError("not every receiver hangs")
    return [figure]


@dataclass(frozen=True)
class _User:
    id: UUID
    token: str


@dataclass
class _Deliveries:
    """Three replicas that deliver, users, and a receiver that answers at once."""

    bench: Bench
    http: ClientSession
    receiver: Receiver
    users: list[_User]

    async def create(self, user: _User, url: str) -> str:
        """Create a webhook for due creatives; return its secret."""
        body = {"url": url, "events": ["creative.due"]}
        headers = {"Authorization": f"Bearer {user.token}"}
        async with self.http.post(WEBHOOKS, json=body, headers=headers) as answer:
            if answer.status != HTTPStatus.CREATED:
                raise BenchError(await answer.text())
            return str((await answer.json())["secret"])

    async def measure(self, name: str, bound: float, first: datetime) -> Figure:
        """Have the first user's creatives fall due; find when the first request about each came."""
        arrivals: list[float] = []
        self.receiver.respond = _noting(arrivals)
        secret = await self.create(self.users[0], self.receiver.url)
        await self.bench.seeds.due(DUE, first, APART, self.users[0].id)
        give_up = time.monotonic() + GIVE_UP_SECONDS
        while len(arrivals) < DUE:
            if time.monotonic() > give_up:
                raise BenchError(f"only {len(arrivals)} of {DUE} creatives were delivered")
            await asyncio.sleep(LOOK_SECONDS)
        seconds: dict[str, float] = {}
        for request, arrived in zip(self.receiver.requests, arrivals, strict=True):
            data = Webhook(secret).verify(request.body, dict(request.headers))["data"]
            due = datetime.fromisoformat(data["due_at"]).timestamp()
            seconds.setdefault(data["id"], arrived - due)
        if len(seconds) != len(arrivals):
            raise BenchError("a creative was delivered twice")
        p50, p99, worst = (percentile(list(seconds.values()), share) for share in (0.5, 0.99, 1))
        return at_most(name, p99, bound, "s", remark=f", p50 {p50:.2f}, at most {worst:.2f} s")


@asynccontextmanager
async def _deliveries(bench: Bench, users: int) -> AsyncIterator[_Deliveries]:
    """Start them; leave nothing in the database at the end."""
    sessions = await bench.seeds.sessions(users)
    try:
        async with AsyncExitStack() as exits:
            exits.enter_context(bench.stack.auth())
            media = [
                exits.enter_context(bench.stack.media(PUBLISH_WORKER="true"))
                for _ in range(REPLICAS)
            ]
            base = f"http://127.0.0.1:{media[0].port}"
            yield _Deliveries(
                bench,
                await exits.enter_async_context(ClientSession(base)),
                await exits.enter_async_context(open_receiver()),
                [_User(user_id(_index(session)), token) for session, token in sessions],
            )
    finally:
        await bench.seeds.no_webhooks()
        await bench.seeds.no_creatives()


def _index(session: UUID) -> int:
    """The index of a session, which is that of its user."""
    return session.int & 0xFFFF_FFFF_FFFF


def _noting(arrivals: list[float]) -> Any:
    """Answer 200; note when each request was in, in the order of the receiver's list."""
    accept = answering(200)

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrivals.append(time.time())
        await accept(reader, writer)

    return respond


async def _hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)
