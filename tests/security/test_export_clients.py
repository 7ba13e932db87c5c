"""What clients of an export can do: pause, leave, ask twice, lose their session."""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from aiohttp import ClientPayloadError, web
from redis.asyncio import Redis
from yarl import URL

from auth_service.account import document, routes
from auth_service.account.export import ExportReader
from auth_service.account.lease import BATCHES_AT_ONCE, LEASE_MS
from auth_service.account.repository import BATCH_ROWS as BATCH
from auth_service.audit.model import StoredEvent
from shared.db import Database
from shared.errors import ServiceUnavailable
from shared.middleware import OPERATIONS
from shared.redis import BatchedRedis
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.exports import (
    NUMBER,
    Served,
    add_events,
    document_in,
    is_whole,
    paused_export,
)
from tests.support.fault_injection import fail_calls
from tests.support.waiting import until

MORE_THAN_BUFFERED = 30_000  # some 11 MB: more than the kernel keeps of a connection


async def test_export_over_http_1_0_ends_with_the_connection(served: Served) -> None:
    """As nginx asks by default: chunks would be part of the document."""
    assert isinstance(served.auth.http._base_url, URL)
    url = served.auth.http._base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = f"GET /v1/auth/me/export HTTP/1.0\r\nAuthorization: Bearer {served.token}\r\n\r\n"
    writer.write(head.encode())
    answer = await reader.read()
    writer.close()
    assert b" 200 OK" in answer.partition(b"\r\n")[0]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["user"]["id"] == served.user_id


async def wait_for_release(served: Served, redis: Redis) -> None:
    """Return once the user's lease is free."""

    async def is_free() -> bool:
        return not await redis.exists(served.lease)

    await until(is_free)


async def test_export_holds_no_connection_while_its_client_pauses(
    served: Served, auth_db: Connection
) -> None:
    await add_events(auth_db, served.user_id, MORE_THAN_BUFFERED)
    async with paused_export(served.auth, served.token) as reader:
        await served.stalled()
        assert served.reads < MORE_THAN_BUFFERED / BATCH / 2
        await served.all_connections_free()
        await auth_db.execute("select pg_stat_clear_snapshot()")
        open_ = (
            "select count(*) from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid() and (state <> 'idle' or xact_start is not null)"
        )
        assert await auth_db.fetchval(open_) == 0
        raw = await reader.rest()
    assert is_whole(raw)
    assert len(document_in(raw)["events"]) == MORE_THAN_BUFFERED + 2


async def test_export_second_one_is_refused_while_the_first_runs(
    served: Served, auth_db: Connection, redis: Redis
) -> None:
    await add_events(auth_db, served.user_id, MORE_THAN_BUFFERED)
    other = (await served.auth.sign_in(NUMBER))["access_token"]
    async with paused_export(served.auth, served.token) as reader:
        await served.stalled()
        assert 0 < await redis.pttl(served.lease) <= LEASE_MS  # a replica may die
        for token in (served.token, other):
            refused = await served.export(token)
            assert (refused.status, refused.code) == (409, "request_in_progress")
            assert refused.headers["Retry-After"] == str(refused.body["retry_after"])
        someone = (await served.auth.sign_in("+919876543211"))["access_token"]
        assert (await served.export(someone)).status == 200
        assert is_whole(await reader.rest())
    assert (await served.export(other)).status == 200
    exported = "select count(*) from audit_events where event = 'user.exported' and user_id = $1"
    assert await auth_db.fetchval(exported, UUID(served.user_id)) == 2


async def test_export_simultaneous_ones_let_one_begin(served: Served, auth_db: Connection) -> None:
    await add_events(auth_db, served.user_id, 20 * BATCH)
    answers = await asyncio.gather(*(served.export() for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 4


async def test_export_stalled_client_is_cut_off(
    served: Served, auth_db: Connection, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "WRITE_SECONDS", 0.2)
    sent: list[web.Request] = []

    async def noted(request: web.Request, pieces: AsyncGenerator[bytes]) -> web.StreamResponse:
        sent.append(request)
        return await document.send_document(request, pieces)

    monkeypatch.setattr(routes, "send_document", noted)
    await add_events(auth_db, served.user_id, MORE_THAN_BUFFERED)
    async with paused_export(served.auth, served.token) as reader:
        await until(lambda: redis.exists(served.lease))
        await wait_for_release(served, redis)
        # closed at once, though the client still takes nothing of what waits for it
        await until(lambda: sent[0].transport is None, seconds=2)
        assert not is_whole(await reader.rest())
    monkeypatch.undo()
    assert (await served.export()).status == 200


async def test_export_slow_client_is_cut_off_at_the_deadline(
    served: Served, auth_db: Connection, redis: Redis
) -> None:
    """A client that takes a little now and then never stalls."""
    operations = served.app[OPERATIONS]
    [export] = [one for one in operations.values() if one.path == "/me/export"]
    assert export.deadline is not None
    operations[export.handler] = replace(export, deadline=0.5)
    await add_events(auth_db, served.user_id, MORE_THAN_BUFFERED)
    async with paused_export(served.auth, served.token) as reader:
        await served.stalled()
        await wait_for_release(served, redis)
        assert not is_whole(await reader.rest())


async def test_export_client_that_leaves_frees_its_place(
    served: Served, auth_db: Connection, redis: Redis
) -> None:
    await add_events(auth_db, served.user_id, MORE_THAN_BUFFERED)
    async with paused_export(served.auth, served.token):
        await served.stalled()
    await wait_for_release(served, redis)
    await served.all_connections_free()


@pytest.mark.parametrize("away", ["database", "lease", "session"])
async def test_export_interrupted_is_cut_off(
    served: Served,
    auth_db: Connection,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    away: str,
) -> None:
    """It never looks whole: neither when a server fails midway, nor when its session ends."""
    await add_events(auth_db, served.user_id, MORE_THAN_BUFFERED)
    other = (await served.auth.sign_in(NUMBER))["access_token"]
    async with paused_export(served.auth, served.token) as reader:
        await served.stalled()
        if away == "session":
            ended = await served.auth.call("POST", "/logout-all", token=other)
            assert ended.status == 204
        elif away == "lease":
            await redis.set(served.lease, "another export")
        else:

            def fail(_: Database) -> Any:
                raise ServiceUnavailable

            monkeypatch.setattr(Database, "connection", fail)
        raw = await reader.rest()
    assert raw.startswith(b"HTTP/1.1 200")
    assert not is_whole(raw)
    assert await redis.get(served.lease) == (b"another export" if away == "lease" else None)


async def test_export_cut_off_raises_an_error_at_the_client(
    served: Served, auth_db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_events(auth_db, served.user_id, 3 * BATCH)
    whole, seen = StoredEvent.redacted_for_user, 0

    def fail(event: StoredEvent) -> StoredEvent:
        nonlocal seen
        seen += 1
        if seen > 2 * BATCH:
            raise ServiceUnavailable
        return whole(event)

    monkeypatch.setattr(StoredEvent, "redacted_for_user", fail)
    with pytest.raises(ClientPayloadError):
        await served.export()


async def test_export_several_at_once_read_few_batches_at_once(
    served: Served, auth_db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many users export, most connections are left to others."""
    pairs = [await served.auth.sign_in(f"+9198765432{number}") for number in range(20, 26)]
    for pair in pairs:
        await add_events(auth_db, pair["user"]["id"], 4 * BATCH)
    reading = most = 0
    whole = ExportReader._require_session

    async def counted(export: ExportReader) -> None:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        try:
            await asyncio.sleep(0.001)
            await whole(export)
        finally:
            reading -= 1

    monkeypatch.setattr(ExportReader, "_require_session", counted)
    answers = await asyncio.gather(*(served.export(pair["access_token"]) for pair in pairs))
    assert {answer.status for answer in answers} == {200}
    assert most == BATCHES_AT_ONCE


async def test_export_without_redis_is_503(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else nobody could tell whether another one runs."""
    fail_calls(monkeypatch, BatchedRedis, "execute", times=9)
    refused = await served.export()
    assert (refused.status, refused.code) == (503, "service_unavailable")


async def test_export_without_recent_proof_requires_step_up(
    served: Served, auth_db: Connection, redis: Redis, clock: MovableClock
) -> None:
    clock.advance(minutes=5, seconds=1)
    refused = await served.export()
    assert (refused.status, refused.code) == (403, "step_up_required")
    events = "select count(*) from audit_events where event = 'user.exported'"
    assert await auth_db.fetchval(events) == 0
    assert not await redis.exists(served.lease)
