"""Accounts of which much is held, and a reader of an export that can pause."""

import asyncio
import gc
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from aiohttp import web

from auth_service.app import WIRING
from tests.support.auth_client import Answer, AuthClient
from tests.support.database import Connection
from tests.support.waiting import until

NUMBER = "+919876543210"
EVENTS = """
insert into audit_events (id, event, outcome, user_id, address, user_agent, request_id, details,
                          created_at)
select gen_random_uuid(), 'profile.changed', 'success', $1, '192.0.2.1', 'Phone/1',
       'asked-by-the-suite', '{"fields": "name"}', now()
from generate_series(1, $2)"""
# All of one moment, so that the order of a list is decided by its last column.
SESSIONS = """
insert into sessions (id, user_id, ip, amr, auth_time, created_at, last_used_at, expires_at,
                      revoked_at, revoked_reason)
select gen_random_uuid(), $1, '192.0.2.1', '{otp}', now(), now(), now(), now() + interval '1 day',
       now(), 'logout'
from generate_series(1, $2)"""
TOKENS = """
insert into tokens (hash, scope, user_id, session_id, created_at, expires_at, used_at)
select sha256(s.id::text::bytea || n::text::bytea), 'refresh', $1, s.id, now(), now(), now()
from (select id from sessions where user_id = $1 limit 1) s, generate_series(1, $2) n"""
RECEIVE_BYTES = 8 * 1024
END_OF_CHUNKS = b"0\r\n\r\n"


async def add_events(db: Connection, user_id: str, count: int) -> None:
    await db.execute(EVENTS, UUID(user_id), count)
    await db.execute("analyze audit_events")


@dataclass
class Reader:
    """The raw answer to an export; nothing is read before `rest`."""

    reader: asyncio.StreamReader
    plain: socket.socket

    async def rest(self) -> bytes:
        """Everything until the connection ends, however it ends."""
        self.plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        text = bytearray()
        try:
            while piece := await self.reader.read(64 * 1024):
                text += piece
        except ConnectionError:
            pass
        return bytes(text)


def is_whole(raw: bytes) -> bool:
    """Return whether the answer ends as HTTP says that a whole one does."""
    return raw.endswith(END_OF_CHUNKS)


def document_in(raw: bytes) -> Any:
    """The JSON of a whole chunked answer."""
    head, _, chunks = raw.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    text = bytearray()
    while (size := int(chunks[: chunks.index(b"\r\n")], 16)) > 0:
        start = chunks.index(b"\r\n") + 2
        text += chunks[start : start + size]
        chunks = chunks[start + size + 2 :]
    return json.loads(text)


@asynccontextmanager
async def paused_export(auth: AuthClient, token: str) -> AsyncIterator[Reader]:
    """Ask for an export and read nothing of it; the kernel keeps a little for us."""
    url = urlsplit(str(auth.http._base_url))
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, (url.hostname, url.port))
    reader, writer = await asyncio.open_connection(sock=plain, limit=RECEIVE_BYTES)
    head = (
        f"GET /v1/auth/me/export HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    )
    writer.write(head.encode())
    try:
        yield Reader(reader, plain)
    finally:
        writer.transport.abort()


@dataclass
class Served:
    """auth_service, somebody who is signed in, and how often a batch was read so far."""

    app: web.Application
    auth: AuthClient
    pair: dict[str, Any]
    reads: int = 0

    @property
    def user_id(self) -> str:
        return str(self.pair["user"]["id"])

    @property
    def token(self) -> str:
        return str(self.pair["access_token"])

    @property
    def lease(self) -> str:
        return f"export:{self.user_id}"

    async def export(self, token: str | None = None) -> Answer:
        return await self.auth.call("GET", "/me/export", token=token or self.token)

    async def stalled(self) -> None:
        """Return once nothing more is read, because nobody takes what was."""
        before = -1
        while self.reads != before or not before:
            before = self.reads
            await asyncio.sleep(0.3)

    async def all_connections_free(self) -> None:
        """Wait until the pool is whole: a publisher's round takes a connection for a moment."""

        async def are_free() -> bool:
            return self.connections_in_use() == 0

        await until(are_free)

    def connections_in_use(self) -> int:
        pool = self.app[WIRING].database._pool
        return pool.get_size() - pool.get_idle_size()


@asynccontextmanager
async def watching_loop() -> AsyncIterator[list[float]]:
    """Note the CPU seconds that the loop spent on others between two of our turns.

    CPU time and not the clock's: the machine's other work is none of ours.
    """
    gaps: list[float] = []

    async def watch() -> None:
        before = time.thread_time()
        while True:
            await asyncio.sleep(0)
            gaps.append(time.thread_time() - before)
            before = time.thread_time()

    gc.collect()
    gc.freeze()  # as the service does when it starts
    task = asyncio.create_task(watch())
    try:
        yield gaps
    finally:
        task.cancel()
        gc.unfreeze()
