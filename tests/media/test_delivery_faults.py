"""Deliveries while something fails on our side: each is sent once, counted, and judged fairly."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from shared.db import Database
from shared.webhooks.delivery import repository, worker
from shared.webhooks.delivery.model import DeliveryResult, DueQuery
from shared.webhooks.delivery.overview.repository import find_oldest_due
from shared.webhooks.endpoint.repository import record_attempt
from shared.webhooks.model import Attempt
from shared.webhooks.outcome import Outcome
from shared.webhooks.sender import WebhookSender
from tests.conftest import MEDIA_SECRET
from tests.support.database import Connection
from tests.support.fault_injection import block_calls, fail_calls
from tests.support.media_client import MediaClient
from tests.support.waiting import until
from tests.support.webhook_receiver import Receiver, answering, open_receiver
from tests.support.webhooks import create, deliveries, queue, wait_for

STATES = "select status, leased_until from webhook_deliveries"


@pytest.fixture
def media_values(media_values: dict[str, Any]) -> dict[str, Any]:
    return media_values | {"publish_worker": True}


@pytest.fixture
def release(receiver: Receiver) -> asyncio.Event:
    """Lets the receiver answer; until then it hangs."""
    event = asyncio.Event()

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await event.wait()
        await answering(200)(reader, writer)

    receiver.respond = respond
    return event


async def hang(_reader: object, _writer: object) -> None:
    await asyncio.sleep(60)


async def test_attempt_that_meets_a_bug_is_one_that_failed(
    serving_media: Callable[..., Any], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> Attempt:
        raise RuntimeError("a bug")

    monkeypatch.setattr(WebhookSender, "attempt", fail)
    async with serving_media(webhook_attempts="0s,0s") as media:
        hook = await create(media, "http://127.0.0.1:1/")
        await queue(database, media, hook)
        (delivery,) = await wait_for(media, hook, "dead")
        shown = (await media.call("GET", f"/webhooks/{hook['id']}")).body
    assert [one["error"] for one in delivery["attempts"]] == ["internal_error"] * 2
    assert (shown["status"], shown["failing_since"]) == ("enabled", None)


async def test_attempt_with_a_lost_secret_is_one_that_failed(
    serving_media: Callable[..., Any], database: Database, receiver: Receiver
) -> None:
    async with serving_media() as media:
        hook = await create(media, receiver.url)
    settings = {"media_secret_keys": MEDIA_SECRET[::-1], "webhook_attempts": "0s"}
    with capture_logs() as logs:
        async with serving_media(**settings) as again:
            media = replace(again, user_id=media.user_id, token=media.token)
            await queue(database, media, hook)
            (delivery,) = await wait_for(media, hook, "dead")
    assert [one["error"] for one in delivery["attempts"]] == ["internal_error"]
    lost = [one for one in logs if one["event"] == "webhook.secret_lost"]
    assert {one["webhook_id"] for one in lost} == {hook["id"]}
    assert receiver.connections == 0


async def test_attempts_that_end_a_process_count(
    serving_media: Callable[..., Any], database: Database, receiver: Receiver
) -> None:
    async with serving_media(publish_worker=False) as media:
        hook = await create(media, receiver.url)
        await queue(database, media, hook)
        for _ in range(2):
            assert await repository.claim(database, datetime.now(UTC), timedelta(), DueQuery(1))
        async with serving_media(webhook_attempts="0s,0s"):
            (delivery,) = await wait_for(media, hook, "dead")
    assert delivery["attempts"] == []
    assert receiver.connections == 0


async def test_attempt_whose_result_meets_a_lost_database_is_not_repeated(
    media: MediaClient, database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "RETRY_SECONDS", 0.1)
    fail_calls(monkeypatch, repository, "finish_delivery", times=3)
    hook = await create(media, receiver.url)
    await queue(database, media, hook)
    (delivery,) = await wait_for(media, hook, "delivered")
    assert len(delivery["attempts"]) == len(receiver.requests) == 1


async def test_attempt_under_way_at_the_end_of_a_process_is_finished(
    serving_media: Callable[..., Any],
    database: Database,
    receiver: Receiver,
    release: asyncio.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "END_SECONDS", 10)
    async with serving_media() as media:
        hook = await create(media, receiver.url)
        for _ in range(2):
            await queue(database, media, hook)
        await until(lambda: receiver.requests)
        asyncio.get_running_loop().call_later(0.5, release.set)
    found = await database.fetch(STATES)
    assert sorted(row["status"] for row in found) == ["delivered", "pending"]
    assert len(receiver.requests) == 1


async def test_attempt_too_long_for_the_end_of_a_process_is_left_to_another(
    serving_media: Callable[..., Any], database: Database, receiver: Receiver
) -> None:
    receiver.respond = hang
    async with serving_media() as media:
        hook = await create(media, receiver.url)
        await queue(database, media, hook)
        await until(lambda: receiver.requests)
    assert [tuple(row) for row in await database.fetch(STATES)] == [("pending", None)]
    receiver.respond = answering(200)
    async with serving_media():
        await until(lambda: len(receiver.requests) == 2)


async def test_receiver_is_quick_though_the_database_is_slow(
    serving_media: Callable[..., Any],
    database: Database,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A receiver that hangs has the one place for slow ones."""
    monkeypatch.setattr(worker, "SLOW_SECONDS", 0.3)
    settings = {"webhook_concurrency": 1, "webhook_timeout": 60}
    async with serving_media(**settings) as media, open_receiver() as slow:
        slow.respond = hang
        hook, hanging = await create(media, receiver.url), await create(media, slow.url)
        blocked, go_on = block_calls(monkeypatch, repository, "finish_delivery")
        await queue(database, media, hook)
        await blocked.wait()
        await asyncio.sleep(0.5)
        go_on.set()
        await wait_for(media, hook, "delivered")
        await queue(database, media, hanging)
        await until(lambda: slow.requests)
        await asyncio.sleep(0.5)
        await queue(database, media, hook)
        await wait_for(media, hook, "delivered", "delivered")


async def test_410_of_an_address_that_was_replaced_does_not_disable_the_webhook(
    media: MediaClient, database: Database, receiver: Receiver, release: asyncio.Event
) -> None:
    async def gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        await answering(410)(reader, writer)

    receiver.respond = gone
    hook = await create(media, receiver.url)
    await queue(database, media, hook)
    await until(lambda: receiver.requests)
    path, change = f"/webhooks/{hook['id']}", {"url": f"{receiver.url}/new"}
    assert (await media.call("PATCH", path, json=change)).status == 200
    release.set()
    await wait_for(media, hook, "dead")
    await asyncio.sleep(0.2)
    assert (await media.call("GET", path)).body["status"] == "enabled"


async def test_result_of_a_delivery_waits_for_no_lock_of_its_webhook(
    media: MediaClient, database: Database, media_db: Connection
) -> None:
    """A deletion, which locks the webhook and then its deliveries, would wait for this one."""
    future = datetime.now(UTC) + timedelta(days=1)
    hook = await create(media, "http://127.0.0.1:1/")
    await queue(database, media, hook, future)
    (claimed,) = await repository.claim(database, future, timedelta(hours=1), DueQuery(1))
    result = DeliveryResult(claimed, Attempt(future, 1, 410), Outcome("dead"), future)
    locked = media_db.transaction()
    await locked.start()
    hold = "select from webhook_endpoints where id = $1 for update"
    await media_db.execute(hold, claimed.endpoint_id)
    finishing = asyncio.create_task(repository.finish(database, result, future))

    async def is_dead() -> bool:
        return [one["status"] for one in await deliveries(media, hook)] == ["dead"]

    await until(is_dead)
    await media_db.execute("delete from webhook_endpoints where id = $1", claimed.endpoint_id)
    await locked.commit()
    assert await finishing is False
    assert await database.fetchval("select count(*) from webhook_deliveries") == 0


async def test_overdue_time_leaves_out_slow_failing_and_disabled_endpoints(
    serving_media: Callable[..., Any], database: Database
) -> None:
    """An endpoint may have more than it can take, may hang, and may be disabled."""
    now = datetime.now(UTC)
    old, url = now - timedelta(hours=1), "http://127.0.0.1:1/"
    async with serving_media(publish_worker=False) as media:
        hook = await create(media, url)
        address = (UUID(hook["id"]), url)
        await media.call("POST", f"/webhooks/{hook['id']}/test")
        assert await find_oldest_due(database, now + timedelta(hours=1), []) is None
        for _ in range(3):
            await queue(database, media, hook, old)
        assert await find_oldest_due(database, now, []) == old
        assert await find_oldest_due(database, now, [address[0]]) is None
        await record_attempt(database, address, now, delivered=True, cutoff=None)
        assert await find_oldest_due(database, now, []) == now
        await record_attempt(database, address, now, delivered=False, cutoff=old)
        assert await find_oldest_due(database, now, []) is None
        await media.call("PATCH", f"/webhooks/{hook['id']}", json={"status": "enabled"})
        assert await find_oldest_due(database, now, []) == now
        await media.call("PATCH", f"/webhooks/{hook['id']}", json={"status": "disabled"})
        assert await find_oldest_due(database, now, []) is None
