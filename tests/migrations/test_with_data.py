"""Every migration goes down and up again over tables that people have filled."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local.postgres import Postgres
from migrations.run import FOLDERS, migrate_down, migrate_up
from tests.support.database import Connection

ROWS = Path(__file__).parent / "rows"
STAY = {
    "auth": {
        "users": "phone_number from users order by status",
        "sessions": "ip::text from sessions",
        "tokens": "scope from tokens where scope = 'refresh'",
        "revocations": "reason from revocations",
    },
    "media": {"creatives": "file_name from creatives"},
}
"""What the first migration already knew, and no later one may lose."""

TABLES = """
select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
and relname not like 'schema_%'"""


@pytest.fixture
async def dsn(postgres: Postgres) -> AsyncIterator[str]:
    """An empty database."""
    administrator = await asyncpg.connect(postgres.dsn("postgres"))
    await administrator.execute("create database filled")
    yield postgres.dsn("filled")
    await administrator.execute("drop database filled with (force)")
    await administrator.close()


@pytest.fixture
async def db(dsn: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(dsn, statement_cache_size=0)
    yield connection
    await connection.close()


async def fill(db: Connection, database: str) -> None:
    await db.execute((ROWS / f"{database}.sql").read_text())


async def empty(db: Connection) -> list[str]:
    tables = [row["relname"] for row in await db.fetch(TABLES)]
    assert tables
    return [name for name in tables if not await db.fetchval(f"select count(*) from {name}")]


async def kept(db: Connection, database: str) -> dict[str, list[object]]:
    return {
        table: [row[0] for row in await db.fetch(f"select {query}")]
        for table, query in STAY[database].items()
    }


@pytest.mark.parametrize("database", ["auth", "media"])
async def test_project_files_down_and_up_keep_rows_of_every_table(
    dsn: str, db: Connection, database: str
) -> None:
    folder = FOLDERS / database
    applied = await migrate_up(dsn, folder)
    await fill(db, database)
    assert await empty(db) == []  # a new table needs a row there
    before = await kept(db, database)
    assert all(before.values())
    for name in reversed(applied[1:]):
        assert await migrate_down(dsn, folder) == name
        assert await kept(db, database) == before, name
    assert await migrate_up(dsn, folder) == applied[1:]
    assert await kept(db, database) == before
    assert await migrate_down(dsn, folder) == applied[-1]
    assert await migrate_up(dsn, folder) == applied[-1:]


@pytest.mark.parametrize("database", ["auth", "media"])
async def test_project_files_in_any_number_of_steps_keep_rows(
    dsn: str, db: Connection, database: str
) -> None:
    """As it happens at a deployment: one step, over what the version before has written."""
    folder = FOLDERS / database
    applied = await migrate_up(dsn, folder)
    await fill(db, database)
    before = await kept(db, database)
    for depth in range(1, len(applied)):
        for name in reversed(applied[-depth:]):
            assert await migrate_down(dsn, folder) == name
        assert await migrate_up(dsn, folder) == applied[-depth:]
        assert await kept(db, database) == before
