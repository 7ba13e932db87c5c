"""Many fall due while workers are killed and PostgreSQL's connections break: each is published."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.long_runs import amount
from tests.support.publishing import all_events, count_published, create_due
from tests.support.publishing_workers import OTHERS, WORKERS
from tests.support.waiting import until


@pytest.mark.long
async def test_publishers_killed_one_by_one_publish_each_creative_once(
    media_db: Connection, workers: Callable[[], Any], clock: MovableClock
) -> None:
    count, rounds = amount(1_000, 10_000), amount(1, 10)

    async def are_connected() -> bool:
        return bool(await media_db.fetchval(f"select count(*) {OTHERS}") >= 2 * WORKERS)

    async def are_published() -> bool:
        return (await count_published(media_db))[0] == count

    for _ in range(rounds):
        await media_db.execute("delete from creatives; delete from events")
        async with workers() as doomed, workers():
            await until(are_connected, 60)
            start = clock.now() + timedelta(seconds=1)
            moments = [start + timedelta(seconds=2) * number / count for number in range(count)]
            await create_due(media_db, *moments)
            for process in doomed:
                await asyncio.sleep(0.8)
                process.kill()
                await media_db.fetchval(f"select count(pg_terminate_backend(pid)) {OTHERS}")
            await until(are_published, 60)
        assert await count_published(media_db) == (count, count, count)
        events = await all_events(media_db)
        times = [datetime.fromisoformat(event["data"]["due_at"]) for event in events]
        assert times == moments
        assert len({event["id"] for event in events}) == count
