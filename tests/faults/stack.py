"""Both services, on servers of their own that a test can break."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
from aiohttp import ClientSession, web
from redis.asyncio import Redis

from auth_service.app import create_app as create_auth
from auth_service.settings import AuthSettings
from deploy.local.postgres import Postgres
from deploy.local.server import EmbeddedServer
from deploy.local.valkey import Valkey
from media_service.app import create_app as create_media
from media_service.settings import MediaSettings
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.revocation.message import REVOCATION_HEAD
from shared.server import listening
from tests.local.processes import alive, descendants
from tests.local.processes import until as wait_until
from tests.support.auth_client import Answer, AuthClient, read
from tests.support.database import Connection
from tests.support.lossy_proxy import LossyProxy
from tests.support.tokens import Mint
from tests.support.waiting import until

SESSIONS = """
with made as (
    insert into users (id, name, phone_verified, status, created_at)
    select gen_random_uuid(), 'Asha', false, 'active', now() from generate_series(1, $1)
    returning id)
insert into sessions (id, user_id, ip, amr, auth_time, created_at, last_used_at, expires_at)
select gen_random_uuid(), id, '127.0.0.1', '{otp}', now(), now(), now(), now() + interval '1 day'
from made returning id, user_id"""


def send_signal(server: EmbeddedServer, number: signal.Signals) -> None:
    assert server.child_pid is not None
    os.kill(server.child_pid, number)


def kill(server: EmbeddedServer) -> None:
    """SIGKILL, and wait for its end and that of all its processes; what it had written is kept."""
    assert server.child_pid is not None
    processes = descendants(server.child_pid)
    send_signal(server, signal.SIGKILL)
    server.stop()
    wait_until(lambda: not any(map(alive, processes)))


@dataclass(frozen=True)
class Token:
    """Somebody's access token, and the session that it belongs to."""

    text: str
    user_id: UUID
    session_id: UUID


@dataclass
class Media:
    """One replica of media_service."""

    http: ClientSession
    app: web.Application

    async def ask(self, token: Token) -> Answer:
        headers = {"Authorization": f"Bearer {token.text}"}
        async with self.http.get("/v1/media/creatives", headers=headers) as response:
            return await read(response)

    async def status(self, token: Token) -> int:
        return (await self.ask(token)).status

    async def until(self, token: Token, status: int, seconds: float = 5) -> float:
        """Return how many seconds passed until requests with the token were answered so."""
        started, found = time.monotonic(), 0
        try:
            async with asyncio.timeout(seconds):
                while (found := await self.status(token)) != status:
                    await asyncio.sleep(0.01)
        except TimeoutError as error:
            raise AssertionError(
                f"not answered {status} within {seconds:g} s, but {found}"
            ) from error
        return time.monotonic() - started


@dataclass
class BreakableStack:
    """The servers, and a proxy from each service to Redis."""

    valkey: Valkey
    postgres: Postgres
    redis: Redis
    proxies: dict[str, LossyProxy]
    values: dict[str, dict[str, Any]]
    mint: Mint
    clock: SystemClock = field(default_factory=SystemClock)

    @asynccontextmanager
    async def auth(self, **changes: Any) -> AsyncIterator[AuthClient]:
        settings = AuthSettings(**(self.values["auth"] | changes))
        app = create_auth(settings, clock=self.clock, entropy=SystemEntropy())
        async with listening(app, "127.0.0.1", 0) as address, ClientSession(address) as http:
            yield AuthClient(http)

    @asynccontextmanager
    async def media(self, **changes: Any) -> AsyncIterator[Media]:
        settings = MediaSettings(**(self.values["media"] | changes))
        app = create_media(settings, clock=self.clock, entropy=SystemEntropy())
        async with listening(app, "127.0.0.1", 0) as address, ClientSession(address) as http:
            yield Media(http, app)

    @asynccontextmanager
    async def both(self, **media_changes: Any) -> AsyncIterator[tuple[AuthClient, Media]]:
        """Both services, once tokens count."""
        async with self.auth() as auth:
            await until(self.has_epoch)
            async with self.media(**media_changes) as media:
                await media.until((await self.tokens(1))[0], 200)
                yield auth, media

    async def has_epoch(self) -> bool:
        return bool(await self.redis.hexists(REVOCATION_HEAD, "epoch"))

    async def tokens(self, count: int) -> list[Token]:
        """Sessions of as many users, as if each had signed in."""
        async with self.database() as db:
            rows = await db.fetch(SESSIONS, count)
        return [
            Token(self.mint.token(row[1], sid=str(row[0])), UUID(str(row[1])), UUID(str(row[0])))
            for row in rows
        ]

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Connection]:
        connection = await asyncpg.connect(self.values["auth"]["auth_database_url"])
        try:
            yield connection
        finally:
            await connection.close()


async def log_out(auth: AuthClient, token: Token) -> Answer:
    return await auth.call("POST", "/logout", token=token.text)
