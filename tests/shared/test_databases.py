"""What a test is lent is empty and whole, whatever the one before did with it."""

import asyncpg
import pytest

from tests.faults.stack import SESSIONS
from tests.support.databases import END_OTHERS, TABLES, Databases

EVENT = """
insert into audit_events (id, event, outcome, details, created_at)
values (gen_random_uuid(), 'user.signed_up', 'success', '{}', now())"""


async def test_acquired_database_is_empty_and_without_other_sessions(databases: Databases) -> None:
    async with databases.acquire("auth") as dsn:
        left = await asyncpg.connect(dsn)
        await left.execute(SESSIONS.replace("$1", "3"))
        await left.execute("begin; lock table users in access exclusive mode")
    async with databases.acquire("auth") as again:
        assert again == dsn
        connection = await asyncpg.connect(again)
        names = [row[0] for row in await connection.fetch(TABLES)]
        assert "public.sessions" in names
        for name in names:
            assert await connection.fetchval(f"select count(*) from {name}") == 0
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await left.execute("rollback")
        await connection.close()


async def test_acquired_databases_at_once_differ(databases: Databases) -> None:
    async with databases.acquire("auth") as first, databases.acquire("auth") as second:
        assert first != second


@pytest.mark.parametrize(
    "change",
    ["create table more ()", "alter table users set unlogged", "drop table tokens"],
)
async def test_acquired_database_refuses_schema_changes(databases: Databases, change: str) -> None:
    async with databases.acquire("auth") as dsn:
        connection = await asyncpg.connect(dsn)
        with pytest.raises(asyncpg.RaiseError, match="a database of its own"):
            await connection.execute(change)
        await connection.close()


async def test_acquired_database_has_no_audit_events(databases: Databases) -> None:
    async with databases.acquire("auth") as dsn:
        connection = await asyncpg.connect(dsn)
        await connection.execute(EVENT)
        await connection.close()
    async with databases.acquire("auth") as again:
        connection = await asyncpg.connect(again)
        assert await connection.fetchval("select count(*) from audit_events") == 0
        await connection.close()


async def test_acquired_database_whose_sessions_all_ended_is_empty(databases: Databases) -> None:
    for _ in range(2):  # the second time, the session that empties it is there
        async with databases.acquire("auth") as dsn:
            connection = await asyncpg.connect(dsn)
            assert await connection.fetchval("select count(*) from audit_events") == 0
            await connection.execute(EVENT)
            await connection.fetch(END_OTHERS)
            await connection.close()
