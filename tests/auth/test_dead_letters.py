"""Dead letters, as an administrator sees them and sends them after all."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from auth_service.audit.service import AuditLog
from auth_service.cli import main
from auth_service.delivery.dead_letters import DeadLetters
from shared.errors import ServiceUnavailable
from tests.auth.test_admin import make_admin
from tests.support.auth_client import AuthClient
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.providers import FakeProvider
from tests.support.waiting import until

PATH, RETRY = "/admin/deliveries/dead", "/admin/deliveries/{}/retry"
DELETE = "/admin/deliveries/{}"


async def create_dead_letters(auth: AuthClient, redis: Redis, count: int) -> None:
    """Ask for codes that the provider does not take, until all of them are dead letters."""
    for last in range(count):
        await auth.request_code(f"+91987654321{last}")

    async def all_dead() -> bool:
        return bool(await redis.llen("deliveries:dead") == count)

    await until(all_dead, 10)


async def list_dead_letters(auth: AuthClient, admin: str, *, limit: int) -> list[Any]:
    """Every dead letter, page by page."""
    letters, params = list[Any](), {"limit": str(limit)}
    while True:
        page = (await auth.call("GET", PATH, token=admin, params=params)).body
        letters += page["items"]
        if page["next_cursor"] is None:
            return letters
        params["cursor"] = page["next_cursor"]


async def test_dead_letters_list_is_masked_and_paged(
    serving_with: Callable[..., Any], auth_db: Connection, twilio: FakeProvider, redis: Redis
) -> None:
    async with serving_with("console") as auth:
        admin = await make_admin(auth, auth_db)
    twilio.answers = [400, 400, 400]
    async with serving_with("twilio") as auth:
        await create_dead_letters(auth, redis, 3)
        letters = await list_dead_letters(auth, admin, limit=2)
        assert sorted(letter["to"] for letter in letters) == ["…10", "…11", "…12"]
        assert {letter["template"] for letter in letters} == {"code"}
        assert not [text for text in ("parameters", "sealed", "+9198") if text in str(letters)]
        for cursor in ("x", "WyJ4Il0", "WyItMSJd"):
            bad = await auth.call("GET", PATH, token=admin, params={"cursor": cursor})
            assert bad.code == "validation_failed"


async def test_dead_letter_retried_is_sent_once_and_expired_is_409(
    serving_with: Callable[..., Any],
    auth_db: Connection,
    twilio: FakeProvider,
    redis: Redis,
    clock: MovableClock,
) -> None:
    async with serving_with("console") as auth:
        admin = await make_admin(auth, auth_db)
    twilio.answers = [400, 400]
    async with serving_with("twilio") as auth:
        await create_dead_letters(auth, redis, 2)
        first, second = await list_dead_letters(auth, admin, limit=50)
        again = RETRY.format(first["id"])
        assert (await auth.call("POST", again, token=admin)).status == 204
        assert (await twilio.received(3))[-1]["To"].endswith(first["to"][1:])
        assert (await auth.call("POST", again, token=admin)).code == "not_found"
        assert (await auth.call("POST", RETRY.format(uuid4()), token=admin)).code == "not_found"
        clock.advance(seconds=301)
        late = await auth.call("POST", RETRY.format(second["id"]), token=admin)
        assert (late.status, late.code) == (409, "conflict")
    details = "select details from audit_events where event = 'delivery.retried'"
    assert first["id"] in await auth_db.fetchval(details)


async def test_dead_letter_deleted_is_gone_and_audited(
    serving_with: Callable[..., Any],
    auth_db: Connection,
    twilio: FakeProvider,
    redis: Redis,
    clock: MovableClock,
) -> None:
    async with serving_with("console") as auth:
        admin = await make_admin(auth, auth_db)
    twilio.answers = [400, 400]
    async with serving_with("twilio") as auth:
        await create_dead_letters(auth, redis, 2)
        first, second = await list_dead_letters(auth, admin, limit=50)
        assert (await auth.call("DELETE", DELETE.format(first["id"]), token=admin)).status == 204
        clock.advance(seconds=301)
        assert (await auth.call("DELETE", DELETE.format(second["id"]), token=admin)).status == 204
        assert await list_dead_letters(auth, admin, limit=50) == []
        for unknown in (second["id"], str(uuid4())):
            gone = await auth.call("DELETE", DELETE.format(unknown), token=admin)
            assert gone.code == "not_found"
    events = await auth_db.fetch(
        "select details, actor_id from audit_events where event = 'delivery.deleted' order by id"
    )
    assert [json.loads(row["details"])["delivery"] for row in events] == [first["id"], second["id"]]
    assert {row["actor_id"] for row in events} != {None}


async def test_dead_letter_deleted_by_plain_user_is_403(
    serving_with: Callable[..., Any], twilio: FakeProvider, redis: Redis
) -> None:
    async with serving_with("console") as auth:
        token = (await auth.sign_in("+919876543299"))["access_token"]
    twilio.answers = [400]
    async with serving_with("twilio") as auth:
        await create_dead_letters(auth, redis, 1)
        wanted = json.loads((await redis.lrange("deliveries:dead", 0, -1))[0])["id"]
        answer = await auth.call("DELETE", DELETE.format(wanted), token=token)
        assert (answer.status, answer.code) == (403, "forbidden")
        assert await redis.llen("deliveries:dead") == 1


async def test_dead_letter_unrecorded_deletion_keeps_it(
    serving_with: Callable[..., Any],
    auth_db: Connection,
    twilio: FakeProvider,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving_with("console") as auth:
        admin = await make_admin(auth, auth_db)
    twilio.answers = [400]
    async with serving_with("twilio") as auth:
        await create_dead_letters(auth, redis, 1)
        [letter] = await list_dead_letters(auth, admin, limit=50)

        async def away(*_: object) -> None:
            raise ServiceUnavailable

        with monkeypatch.context() as broken:
            broken.setattr(AuditLog, "append", away)
            path = DELETE.format(letter["id"])
            assert (await auth.call("DELETE", path, token=admin)).status == 503
        assert await redis.llen("deliveries:dead") == 1


@pytest.mark.usefixtures("command_environment")
async def test_delete_command_removes_dead_letter_and_is_audited(
    serving_with: Callable[..., Any],
    auth_db: Connection,
    twilio: FakeProvider,
    redis: Redis,
    capsys: pytest.CaptureFixture[str],
) -> None:
    twilio.answers = [400]
    async with serving_with("twilio") as auth:
        await create_dead_letters(auth, redis, 1)
    wanted = json.loads((await redis.lrange("deliveries:dead", 0, -1))[0])["id"]
    assert await asyncio.to_thread(main, ["deliveries", "delete", wanted]) == 0
    assert capsys.readouterr().out.endswith("deleted\n")
    assert await redis.llen("deliveries:dead") == 0
    assert await asyncio.to_thread(main, ["deliveries", "delete", wanted]) == 1
    assert capsys.readouterr().err.endswith("there is none\n")
    details = "select details from audit_events where event = 'delivery.deleted'"
    assert wanted in await auth_db.fetchval(details)


@pytest.mark.usefixtures("command_environment")
async def test_dead_letter_commands_without_database_change_nothing(
    serving_with: Callable[..., Any],
    twilio: FakeProvider,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    twilio.answers = [400]
    async with serving_with("twilio") as auth:
        await create_dead_letters(auth, redis, 1)
    wanted = json.loads((await redis.lrange("deliveries:dead", 0, -1))[0])["id"]
    monkeypatch.setenv("AUTH_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    for action in ("delete", "retry"):
        assert await asyncio.to_thread(main, ["deliveries", action, wanted]) == 1
        assert "The database cannot be reached" in capsys.readouterr().err
    assert await redis.llen("deliveries:dead") == 1


async def test_dead_letter_retry_event_is_stored_before_requeue(
    serving_with: Callable[..., Any],
    auth_db: Connection,
    twilio: FakeProvider,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The event is stored first: whatever breaks then, nothing was done that nobody knows of."""
    async with serving_with("console") as auth:
        admin = await make_admin(auth, auth_db)
    twilio.answers = [400]
    async with serving_with("twilio") as auth:
        await create_dead_letters(auth, redis, 1)
        again = RETRY.format((await list_dead_letters(auth, admin, limit=50))[0]["id"])
        told = "select count(*) from audit_events where event = 'delivery.retried'"

        async def away(*_: object) -> None:
            raise ServiceUnavailable

        with monkeypatch.context() as broken:
            broken.setattr(AuditLog, "append", away)
            assert (await auth.call("POST", again, token=admin)).status == 503
        assert await redis.llen("deliveries:dead")
        with monkeypatch.context() as broken:
            broken.setattr(DeadLetters, "_requeue", away)
            assert (await auth.call("POST", again, token=admin)).status == 503
        assert await auth_db.fetchval(told) == 1
        assert (await auth.call("POST", RETRY.format(uuid4()), token=admin)).code == "not_found"
        assert await auth_db.fetchval(told) == 1  # nothing was tried
        assert (await auth.call("POST", again, token=admin)).status == 204
        assert not await redis.llen("deliveries:dead")
