"""Database connections are lent first come, first served, and no turn is lost."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from deploy.local.postgres import Postgres
from shared import db
from shared.db import Database, open_database
from shared.errors import ServiceUnavailable

SHORT = 0.3


@pytest.fixture
async def database(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """Two connections, for which nobody waits long."""
    monkeypatch.setattr(db, "ACQUIRE_SECONDS", SHORT)
    async with open_database(postgres.dsn("postgres"), size=2) as opened:
        yield opened


async def select_one(database: Database) -> object:
    async with database.connection() as connection:
        return await connection.fetchval("select 1")


@pytest.mark.parametrize("callers", [64, 512])
async def test_database_waiters_beside_newcomers_are_served_in_order(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch, callers: int
) -> None:
    for limit in ("CONNECT_SECONDS", "ACQUIRE_SECONDS", "STATEMENT_SECONDS"):
        monkeypatch.setattr(db, limit, 30)  # the order counts, not the time
    asked, served = list[int](), list[int]()

    async def call(database: Database, name: int) -> None:
        asked.append(name)
        async with database.connection() as connection:
            served.append(name)
            await connection.fetchval("select 1")

    async with open_database(postgres.dsn("postgres"), size=2) as database:
        async with database.connection(), database.connection():
            pass  # both are connected now, which takes one longer than the other
        async with asyncio.TaskGroup() as group:
            for name in range(callers):
                group.create_task(call(database, name))
            while len(served) < callers:
                group.create_task(call(database, len(asked)))
                await asyncio.sleep(0)  # a newcomer is there whenever a connection comes back
    assert served == asked


async def test_database_waiter_counts_its_wait_towards_its_timeout(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The turn comes late, and connecting has what is left of the time."""
    left, pool = list[float](), database._pool

    class NotingPool:
        def acquire(self, *, timeout: float) -> object:
            left.append(timeout)
            return pool.acquire(timeout=timeout)

    monkeypatch.setattr(database, "_pool", NotingPool())
    async with database.connection(), database.connection():
        waiting = asyncio.create_task(select_one(database))
        await asyncio.sleep(SHORT / 2)
    assert await waiting == 1
    assert left[0] > SHORT * 0.9
    assert left[2] <= SHORT / 2


async def test_database_waiter_timed_out_or_cancelled_frees_its_turn(
    database: Database,
) -> None:
    async with database.connection(), database.connection():
        cancelled = asyncio.create_task(select_one(database))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SHORT / 3):
                await select_one(database)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        with pytest.raises(ServiceUnavailable):
            await select_one(database)
    async with database.connection(), database.connection():
        pass  # both turns are there


@pytest.mark.parametrize("steps", range(6))
async def test_database_waiter_cancelled_while_acquiring_leaks_no_connection(
    database: Database, steps: int
) -> None:
    async with database.connection():
        async with database.connection():
            cancelled = asyncio.create_task(select_one(database))
            await asyncio.sleep(0)
        for _ in range(steps):
            await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        assert await select_one(database) == 1
    async with database.connection(), database.connection():
        pass
