"""A clock that is wrong: it is logged, the service is not ready, and its worker waits."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from media_service import app
from media_service.cli import run_worker
from media_service.publishing.service import Publisher
from media_service.settings import MediaSettings
from media_service.wiring import Wiring
from shared import clock_check
from shared.background import cancel_and_wait
from shared.db import Database
from shared.entropy import SystemEntropy
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.publishing import count_published, create_due
from tests.support.waiting import until
from tests.support.webhook_receiver import Receiver
from tests.support.webhooks import create, queue

RECORD = """
insert into events (id, user_id, type, occurred_at, data)
values (gen_random_uuid(), $1, 'product.deleted', now(), '{"photo_url": null}')
"""


@pytest.fixture
def clock() -> MovableClock:
    """A clock that parts from PostgreSQL's when it is moved."""
    return MovableClock()


@pytest.mark.parametrize("days", [-1, 1])
async def test_publisher_clock_of_another_day_publishes_nothing_and_says_so(
    media_db: Connection, publisher: Publisher, clock: MovableClock, days: int
) -> None:
    """A step between two comparisons, too: what is published stays so."""
    await create_due(media_db, clock.now())
    await publisher.publish_due()
    await create_due(media_db, clock.now(), clock.now() + timedelta(hours=1))
    clock.advance(days=days)
    with capture_logs() as logs:
        for _ in range(2):
            await publisher.publish_due()
    assert await count_published(media_db) == (1, 1, 1)
    expected = ["clock.wrong"] if days > 0 else []
    assert [entry["event"] for entry in logs] == expected
    clock.advance(days=-days)
    await publisher.publish_due()
    assert await count_published(media_db) == (2, 2, 2)


async def test_worker_command_wrong_clock_is_logged(
    media_values: dict[str, Any], clock: MovableClock
) -> None:
    clock.advance(minutes=5)
    wiring = Wiring(MediaSettings(**media_values), clock=clock, entropy=SystemEntropy())
    with capture_logs() as logs:
        worker = asyncio.create_task(run_worker(wiring))
        await until(lambda: "clock.wrong" in {entry["event"] for entry in logs})
        await cancel_and_wait(worker)


async def test_media_service_clock_behind_database_is_not_ready(
    serving_media: Callable[..., Any], clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_check, "COMPARE_SECONDS", 0.05)
    async with serving_media() as media:

        async def status(minutes: float) -> int:
            clock.advance(minutes=minutes)
            async with media.http.get("/readyz") as answer:
                return int(answer.status)

        assert await status(0) == 200
        await status(-5)

        async def is_said() -> bool:
            async with media.http.get("/readyz") as answer:
                body = await answer.json()
            reason = body.get("reasons", {}).get("clock", "")
            return answer.status == 503 and "300 s behind PostgreSQL's" in reason

        await until(is_said)
        assert await status(5) == 200


async def test_worker_wrong_clock_attempts_and_queues_no_webhook(
    serving_media: Callable[..., Any],
    database: Database,
    receiver: Receiver,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clock_check, "COMPARE_SECONDS", 0.05)
    async with serving_media(publish_worker=True) as media:
        hook = await create(media, receiver.url)
        clock.advance(minutes=5)
        with capture_logs() as logs:
            await until(lambda: "clock.wrong" in {entry["event"] for entry in logs})
        await asyncio.sleep(0.5)  # a round that began before the step has ended
        await queue(database, media, hook)
        await database.execute(RECORD, media.user_id)
        await asyncio.sleep(1)
        assert receiver.connections == 0
        assert await database.fetchval("select count(*) from webhook_deliveries") == 1
        clock.advance(minutes=-5)
        await until(lambda: len(receiver.requests) == 2)


@pytest.mark.usefixtures("rare_jobs")
async def test_housekeeping_clock_of_another_month_deletes_no_event(
    serving_media: Callable[..., Any],
    media_db: Connection,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app, "RECONCILE_SECONDS", 0.05)
    with capture_logs() as logs:
        async with serving_media():
            clock.advance(days=40)
            await until(lambda: "clock.wrong" in {entry["event"] for entry in logs})
            await media_db.execute(RECORD, uuid4())
            await asyncio.sleep(0.5)
    assert await media_db.fetchval("select count(*) from events") == 1
