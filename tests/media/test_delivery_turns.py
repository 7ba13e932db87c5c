"""Receivers that hang hold up no other, and processes share the deliveries."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from shared.db import Database
from shared.webhooks.delivery.lanes import MAX_PER_ENDPOINT
from shared.webhooks.delivery.worker import POLL_SECONDS
from shared.webhooks.endpoint.model import MAX_ENDPOINTS
from tests.support.command_process import run_command, wait_for_exit
from tests.support.media_client import MediaClient
from tests.support.waiting import until
from tests.support.webhook_receiver import Receiver, answering, open_receiver
from tests.support.webhooks import create, queue, wait_for


@pytest.fixture
def media_values(media_values: dict[str, Any]) -> dict[str, Any]:
    return media_values | {"publish_worker": True}


BACKLOG = """
insert into webhook_deliveries (id, endpoint_id, event_id, type, body, next_attempt_at, created_at)
select gen_random_uuid(), $1, gen_random_uuid(), type, body, next_attempt_at - interval '1 second',
       created_at
from webhook_deliveries, generate_series(1, $3) where id = $2
"""
"""So many copies of a delivery, due a second before it, for another endpoint."""


OWNER_SHARE = 10


async def hang(_reader: object, _writer: object) -> None:
    await asyncio.sleep(60)


async def count_connections(receiver: Receiver, count: int) -> None:
    """Wait for so many connections, and then for one more that must not come."""
    await until(lambda: receiver.connections >= count)
    await asyncio.sleep(1.5 * POLL_SECONDS)
    assert receiver.connections == count


async def test_deliveries_to_a_hanging_receiver_are_5_at_once_and_hold_up_no_other(
    media: MediaClient, database: Database, receiver: Receiver
) -> None:
    async with open_receiver() as hanging:
        slow, quick = await create(media, hanging.url), await create(media, receiver.url)
        for _ in range(MAX_PER_ENDPOINT):
            await queue(database, media, slow)
        await wait_for(media, slow, *["delivered"] * MAX_PER_ENDPOINT)
        hanging.respond = hang
        for _ in range(12):
            await queue(database, media, slow)
        await count_connections(hanging, 2 * MAX_PER_ENDPOINT)
        for _ in range(12):
            await queue(database, media, quick)
        await wait_for(media, quick, *["delivered"] * 12)


async def test_delivery_to_a_receiver_not_known_to_be_quick_is_1_at_once(
    media: MediaClient, database: Database
) -> None:
    """So a receiver that is deleted and made again gains nothing."""
    answer = asyncio.Event()

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer.wait()
        await answering(200)(reader, writer)

    async with open_receiver() as unknown:
        unknown.respond = respond
        hook = await create(media, unknown.url)
        for _ in range(12):
            await queue(database, media, hook)
        await count_connections(unknown, 1)
        answer.set()
        await wait_for(media, hook, *["delivered"] * 12)


async def test_delivery_of_a_backlog_that_ends_makes_room_for_the_next_at_once(
    media: MediaClient, database: Database
) -> None:
    hanging, release = iter([False] * 8 + [True]), asyncio.Event()

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if next(hanging, False):
            await release.wait()
        await answering(200)(reader, writer)

    async with open_receiver() as receiver:
        receiver.respond = respond
        hook = await create(media, receiver.url)
        for _ in range(40):
            await queue(database, media, hook)
        await until(lambda: len(receiver.requests) == 40)
        release.set()
        await wait_for(media, hook, *["delivered"] * 40)


async def test_deliveries_of_a_long_backlog_hold_up_no_other_endpoint(
    serving_media: Callable[..., Any], database: Database, receiver: Receiver
) -> None:
    async with serving_media(publish_worker=False) as media, open_receiver() as other:
        long, short = await create(media, receiver.url), await create(media, other.url)
        last = await queue(database, media, short)
        await database.execute(BACKLOG, UUID(long["id"]), last, 2000)
        async with serving_media():
            await until(lambda: other.requests)
            assert len(receiver.requests) < 50


async def test_deliveries_of_one_user_leave_room_for_those_of_others(
    serving_media: Callable[..., Any],
    database: Database,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their receivers are slow, but not so slow that they have a lane of their own."""
    monkeypatch.setattr("shared.webhooks.delivery.worker.SLOW_SECONDS", 60)
    concurrency = OWNER_SHARE + 1
    async with serving_media(webhook_concurrency=concurrency) as media, open_receiver() as slow:
        hooks = [await create(media, slow.url) for _ in range(MAX_ENDPOINTS)]
        for hook in hooks * 2:
            await queue(database, media, hook)
        await wait_for(media, hooks[0], "delivered", "delivered")
        slow.respond = hang
        before = slow.connections
        for hook in hooks * 3:
            await queue(database, media, hook)
        await count_connections(slow, before + OWNER_SHARE)
        other = media.as_other_user()
        quick = await create(other, receiver.url)
        for _ in range(3):
            await queue(database, other, quick)
        await wait_for(other, quick, *["delivered"] * 3)


async def test_deliveries_to_more_hanging_receivers_than_attempts_hold_up_no_other(
    serving_media: Callable[..., Any],
    database: Database,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.webhooks.delivery.worker.SLOW_SECONDS", 0.3)
    async with open_receiver() as hanging, serving_media(webhook_concurrency=4) as media:
        hanging.respond = hang
        for _ in range(9):
            user = media.as_other_user()
            hook = await create(user, hanging.url)
            for _ in range(3):
                await queue(database, user, hook)
        await until(lambda: hanging.connections >= 4)
        quick = await create(media, receiver.url)
        for _ in range(12):
            await queue(database, media, quick)
        await wait_for(media, quick, *["delivered"] * 12)
        assert hanging.connections < 27


async def test_delivery_to_a_receiver_that_recovers_is_quick_again(
    serving_media: Callable[..., Any],
    database: Database,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.webhooks.delivery.worker.SLOW_SECONDS", 0.1)
    receiver.respond = hang
    settings = {"webhook_timeout": 0.3, "webhook_attempts": "0s,0s", "webhook_concurrency": 1}
    async with serving_media(**settings) as media:
        hook = await create(media, receiver.url)
        await queue(database, media, hook)
        await until(lambda: receiver.requests)
        receiver.respond = answering(200)
        (delivery,) = await wait_for(media, hook, "delivered")
        await queue(database, media, hook)
        await wait_for(media, hook, "delivered", "delivered")
    assert [one["error"] for one in delivery["attempts"]] == ["timeout", None]


async def test_deliveries_of_two_processes_are_attempted_once_each(
    serving_media: Callable[..., Any], database: Database, receiver: Receiver
) -> None:
    async with serving_media() as media, serving_media():
        hooks = [await create(media, receiver.url) for _ in range(4)]
        for hook in hooks * 10:
            await queue(database, media, hook)
        for hook in hooks:
            await wait_for(media, hook, *["delivered"] * 10)
    ids = Counter(request.headers["webhook-id"] for request in receiver.requests)
    assert (len(ids), set(ids.values())) == (40, {1})


async def test_delivery_that_waits_for_its_turn_is_counted_as_overdue(
    serving_media: Callable[..., Any],
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.webhooks.housekeeping.GAUGE_SECONDS", 0.1)

    async def overdue() -> float:
        async with media.http.get("/metrics") as answer:
            text = await answer.text()
        [value] = re.findall(r"^media_webhooks_overdue_seconds (\S+)$", text, re.MULTILINE)
        return float(value)

    async def is_overdue() -> bool:
        return await overdue() > 0.5

    async with open_receiver() as hanging, serving_media(webhook_concurrency=1) as media:
        hanging.respond = hang
        assert await overdue() == 0
        hook = await create(media, hanging.url)
        for _ in range(2):
            await queue(database, media, hook)
        await until(is_overdue)


async def test_delivery_is_made_by_the_worker_where_serve_makes_none(
    serving_media: Callable[..., Any],
    media_environment: dict[str, str],
    receiver: Receiver,
    tmp_path: Path,
) -> None:
    async with serving_media(publish_worker=False) as media:
        hook = await create(media, receiver.url)
        await media.call("POST", f"/webhooks/{hook['id']}/test")
        await asyncio.sleep(1)
        assert receiver.connections == 0
        output, environment = tmp_path / "worker.log", media_environment
        async with run_command(
            "media_service", "worker", environment=environment, output=output
        ) as process:
            await wait_for(media, hook, "delivered")
            process.terminate()
            assert await wait_for_exit(process) == 0
