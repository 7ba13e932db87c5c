"""Publishers among others: replicas, users' changes in the same instant, deaths in between."""

import asyncio
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from media_service.publishing.service import Publisher
from shared.background import run_periodically
from shared.clock_check import ClockCheck
from shared.db import open_database
from shared.entropy import SystemEntropy
from shared.errors import ServiceUnavailable
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.publishing import (
    all_events,
    cancel_creative,
    count_published,
    create_due,
    creative_row,
)
from tests.support.waiting import until

SECOND = timedelta(seconds=1)


async def due_times(media_db: Connection) -> list[datetime]:
    return [datetime.fromisoformat(event["data"]["due_at"]) for event in await all_events(media_db)]


async def test_publisher_1000_due_at_once_are_each_published_once_in_order(
    media_db: Connection, media_dsn: str, clock: MovableClock
) -> None:
    start = clock.now() - SECOND
    moments = [start + timedelta(milliseconds=number) for number in range(1000)]
    await create_due(media_db, *moments)
    async with AsyncExitStack() as stack:
        for _ in range(3):
            database = await stack.enter_async_context(open_database(media_dsn))
            one = Publisher(database, clock, ClockCheck(database, clock), SystemEntropy())
            await stack.enter_async_context(
                run_periodically("publishing", one.publish_due, pause=one.pause)
            )

        async def are_published() -> bool:
            return (await count_published(media_db))[0] == 1000

        await until(are_published)
    assert await count_published(media_db) == (1000, 1000, 1000)
    assert await due_times(media_db) == moments


async def test_publisher_earlier_creative_of_another_replica_wakes_it(
    media_db: Connection, publisher: Publisher, clock: MovableClock
) -> None:
    one = uuid4()
    await create_due(media_db, clock.now() + timedelta(days=300), one=one)
    async with run_periodically("publishing", publisher.publish_due, pause=publisher.pause):
        await asyncio.sleep(0.1)  # it sleeps until that one is due
        await create_due(media_db, clock.now() + timedelta(milliseconds=300))

        async def is_published() -> bool:
            return await count_published(media_db) == (1, 1, 1)

        await until(is_published)
        soon = clock.now() + timedelta(milliseconds=300)
        await media_db.execute("update creatives set due_at = $1 where id = $2", soon, one)

        async def are_published() -> bool:
            return await count_published(media_db) == (2, 2, 2)

        await until(are_published)


@pytest.mark.parametrize("committed", [True, False])
async def test_publisher_creative_that_is_being_cancelled_is_left_until_that_ends(
    media_db: Connection, media_dsn: str, publisher: Publisher, clock: MovableClock, committed: bool
) -> None:
    one, other = uuid4(), await asyncpg.connect(media_dsn)
    await create_due(media_db, clock.now() - SECOND, one=one)
    await create_due(media_db, clock.now())
    cancelling = other.transaction()
    await cancelling.start()
    await cancel_creative(other, one)
    publishing = asyncio.create_task(publisher.publish_due())
    await asyncio.wait([publishing], timeout=2)
    waits = not publishing.done()
    await (cancelling.commit() if committed else cancelling.rollback())
    await other.close()
    await publishing
    await publisher.publish_due()
    assert (await creative_row(media_db, one))["status"] == (
        "cancelled" if committed else "published"
    )
    assert await count_published(media_db) == ((1, 1, 1) if committed else (2, 2, 2))
    assert not waits


async def test_publisher_row_of_publisher_that_dies_is_published_by_the_next(
    media_db: Connection, media_dsn: str, publisher: Publisher, clock: MovableClock
) -> None:
    """The claim ends with its connection: nothing is lost, and nothing happens by half."""
    await create_due(media_db, clock.now() - SECOND)
    other = await asyncpg.connect(media_dsn)
    locked = other.transaction()
    await locked.start()
    await other.execute("lock table events in access exclusive mode")
    publishing = asyncio.create_task(publisher.publish_due())
    claiming = """select pid from pg_stat_activity where wait_event_type = 'Lock'
                  and datname = current_database()"""

    async def has_claimed() -> bool:
        return await media_db.fetchval(claiming) is not None

    await until(has_claimed)
    assert await counts_of_others(media_db) == (0, 0)
    await media_db.execute(f"select pg_terminate_backend(pid, 5000) from ({claiming}) p")
    await locked.rollback()
    await other.close()
    with pytest.raises(ServiceUnavailable):
        await publishing
    assert await count_published(media_db) == (0, 0, 0)
    await publisher.publish_due()
    assert await count_published(media_db) == (1, 1, 1)


async def counts_of_others(media_db: Connection) -> tuple[int, int]:
    """As `counts`, without the events, whose table is locked."""
    found = await media_db.fetchrow(
        """select (select count(*) from creatives where status = 'published'),
                  (select count(*) from publications)"""
    )
    assert found is not None
    return tuple(found)


async def test_publisher_goes_on_after_its_connections_broke(
    media_db: Connection, publisher: Publisher, clock: MovableClock
) -> None:
    broken = """select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()
                and backend_type = 'client backend' and application_name <> 'cleaner'"""

    async def broke() -> bool:
        return bool(await media_db.fetchval(broken))

    async with run_periodically("publishing", publisher.publish_due, pause=publisher.pause):
        await until(broke)
        await create_due(media_db, clock.now())

        async def is_published() -> bool:
            return await count_published(media_db) == (1, 1, 1)

        await until(is_published)
