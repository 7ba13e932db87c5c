"""Many fall due while workers are killed and PostgreSQL's connections break: each is published."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import MovableClock
from tests.support.command_process import run_command
from tests.support.database import Connection
from tests.support.long_runs import amount
from tests.support.publishing import all_events, count_published, create_due
from tests.support.waiting import until

WORKERS = 3
OTHERS = """
from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
and backend_type = 'client backend' and application_name <> 'cleaner'"""


@pytest.fixture
def workers(media_environment: dict[str, str], tmp_path: Path) -> Callable[[], Any]:
    """Starts `python -m media_service worker` three times; yields the processes."""

    @asynccontextmanager
    async def start() -> AsyncIterator[list[BaseProcess]]:
        async with AsyncExitStack() as stack:
            yield [
                await stack.enter_async_context(
                    run_command(
                        *("media_service", "worker"),
                        environment=media_environment,
                        output=tmp_path / f"{number}.log",
                    )
                )
                for number in range(WORKERS)
            ]

    return start


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
