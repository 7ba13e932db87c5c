"""Processes that queue the deliveries of events: each event once, in order, none left out."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from media_service.creative.signed_link import LinkSigner
from media_service.webhook.messages import EventMessages
from shared.clock_check import ClockCheck
from shared.db import Database, open_database
from shared.entropy import SystemEntropy
from shared.webhooks.delivery import repository
from shared.webhooks.delivery.fan_out import EventFanOut
from shared.webhooks.delivery.model import MAX_UNFINISHED, DeliverySchedule
from shared.webhooks.endpoint.model import MAX_ENDPOINTS
from tests.conftest import ISSUER
from tests.support.clock import MovableClock
from tests.support.database import Connection, count_waiting
from tests.support.media_client import MediaClient
from tests.support.waiting import until
from tests.support.webhooks import create, deliveries

URL = "http://127.0.0.1:1/"
RECORD = """
insert into events (id, user_id, type, occurred_at, data)
select gen_random_uuid(), $1, 'product.deleted', $2, '{"photo_url": null}'
from generate_series(1, $3)
"""
QUEUED = """
select position from webhook_deliveries join events on events.id = event_id
where endpoint_id = $1 order by next_attempt_at, webhook_deliveries.id
"""


@pytest.fixture
def new_fan_out(clock: MovableClock) -> Callable[[Database], EventFanOut]:
    """Makes what a process queues deliveries with."""

    def make(database: Database) -> EventFanOut:
        messages = EventMessages(LinkSigner([b"x" * 32]), ISSUER)
        schedule = DeliverySchedule((timedelta(),), 50)
        return EventFanOut(
            database, messages, schedule, clock, ClockCheck(database, clock), SystemEntropy()
        )

    return make


@pytest.fixture
def fan_out(database: Database, new_fan_out: Callable[[Database], EventFanOut]) -> EventFanOut:
    """Queues deliveries when the test says so."""
    return new_fan_out(database)


async def record(db: Connection, media: MediaClient, at: datetime, count: int = 1) -> None:
    await db.execute(RECORD, media.user_id, at, count)


async def count_unqueued(db: Connection) -> int:
    return int(await db.fetchval("select count(*) from events where not queued"))


async def test_fan_out_of_three_processes_queues_each_event_once_in_order(
    media: MediaClient,
    media_db: Connection,
    media_dsn: str,
    clock: MovableClock,
    new_fan_out: Callable[[Database], EventFanOut],
) -> None:
    hooks = [await create(media, URL) for _ in range(3)]
    await record(media_db, media, clock.now(), 1000)
    async with AsyncExitStack() as stack:
        processes = [
            new_fan_out(await stack.enter_async_context(open_database(media_dsn))) for _ in range(3)
        ]
        while await count_unqueued(media_db):
            await asyncio.gather(*(one.queue_deliveries() for one in processes))
    positions = [row[0] for row in await media_db.fetch("select position from events order by 1")]
    for hook in hooks:
        queued = [row[0] for row in await media_db.fetch(QUEUED, UUID(hook["id"]))]
        assert queued == positions


async def test_fan_out_event_older_than_the_endpoint_is_not_delivered(
    media: MediaClient, media_db: Connection, fan_out: EventFanOut, clock: MovableClock
) -> None:
    before = clock.now()
    hook = await create(media, URL)
    await record(media_db, media, before)
    assert await fan_out.queue_deliveries() == 0
    assert await count_unqueued(media_db) == 0
    await record(media_db, media, clock.now())
    assert await fan_out.queue_deliveries() == 1
    assert len(await deliveries(media, hook)) == 1
    assert await fan_out.queue_deliveries() == 0


async def test_fan_out_event_of_a_transaction_that_commits_late_is_delivered(
    media: MediaClient,
    media_db: Connection,
    media_dsn: str,
    fan_out: EventFanOut,
    clock: MovableClock,
) -> None:
    """Its position is lower than one that is queued already."""
    hook, other = await create(media, URL), await asyncpg.connect(media_dsn)
    late = other.transaction()
    await late.start()
    await record(other, media, clock.now())
    await record(media_db, media, clock.now())
    assert await fan_out.queue_deliveries() == 1
    await late.commit()
    await other.close()
    assert await fan_out.queue_deliveries() == 1
    events = {one["event_id"] for one in await deliveries(media, hook)}
    assert events == {str(row[0]) for row in await media_db.fetch("select id from events")}


@pytest.mark.parametrize("committed", [True, False])
async def test_fan_out_endpoint_that_is_being_deleted_gets_nothing_once_it_is_gone(
    media: MediaClient,
    media_db: Connection,
    fan_out: EventFanOut,
    clock: MovableClock,
    committed: bool,
) -> None:
    gone, stays = await create(media, URL), await create(media, URL)
    await record(media_db, media, clock.now())
    deleting = media_db.transaction()
    await deleting.start()
    await media_db.execute("delete from webhook_endpoints where id = $1", UUID(gone["id"]))
    queueing = asyncio.create_task(fan_out.queue_deliveries())

    async def waits() -> bool:
        return await count_waiting(media_db) == 1

    await until(waits)
    await (deleting.commit() if committed else deleting.rollback())
    await queueing
    found = await media_db.fetch("select endpoint_id from webhook_deliveries")
    both = {UUID(gone["id"]), UUID(stays["id"])}
    expected = {UUID(stays["id"])} if committed else both
    assert {row[0] for row in found} == expected
    assert await count_unqueued(media_db) == 0


async def test_fan_out_events_without_endpoint_are_done_and_queue_nothing(
    media: MediaClient, media_db: Connection, fan_out: EventFanOut, clock: MovableClock
) -> None:
    await record(media_db, media, clock.now(), 450)
    await media_db.execute("update events set user_id = $1 where position % 2 = 0", uuid4())
    assert await fan_out.queue_deliveries() == 0
    assert await count_unqueued(media_db) == 0
    assert await media_db.fetchval("select count(*) from webhook_deliveries") == 0


async def test_fan_out_to_an_endpoint_with_too_many_unfinished_deliveries_is_dead_at_once(
    media: MediaClient,
    media_db: Connection,
    fan_out: EventFanOut,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(repository, "MAX_UNFINISHED", 3)
    hook, other = await create(media, URL), await create(media, URL)
    for count in (2, 3):
        await record(media_db, media, clock.now(), count)
        await fan_out.queue_deliveries()
        await media_db.execute(
            "update webhook_deliveries set status = 'delivered', next_attempt_at = null"
            " where endpoint_id = $1",
            UUID(other["id"]),
        )
    newest = await deliveries(media, hook)
    assert [one["status"] for one in newest] == ["dead"] * 2 + ["pending"] * 3
    for one in newest[:2]:
        (attempt,) = one["attempts"]
        assert (attempt["error"], attempt["status_code"]) == ("queue_full", None)
        assert one["next_attempt_at"] is None
    assert {one["status"] for one in await deliveries(media, other)} == {"delivered"}
    await media.call("POST", f"/webhooks/{hook['id']}/deliveries/{newest[0]['id']}/redeliver")
    assert (await deliveries(media, hook))[0]["status"] == "pending"


def test_unfinished_deliveries_of_one_owner_are_counted_well_within_a_statements_time() -> None:
    """Of 500,000, which were all updated lately, PostgreSQL reads the rows: 4 to 9 s."""
    assert MAX_UNFINISHED * MAX_ENDPOINTS <= 100_000
