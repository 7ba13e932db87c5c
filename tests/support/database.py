"""A test's own connection, tables that it locks, and statements that wait for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

if TYPE_CHECKING:  # generic in its stubs alone
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection

CANCEL_WAITING = """
select pg_cancel_backend(pid) from pg_locks join pg_database on pg_database.oid = database
where datname = current_database() and not granted"""

COUNT_WAITING = """
select count(*) from pg_stat_activity
where wait_event_type = 'Lock' and datname = current_database()"""


async def count_waiting(connection: Connection) -> int:
    """Return how many statements wait for locks now, as seen inside a transaction too."""
    await connection.execute("select pg_stat_clear_snapshot()")
    return int(await connection.fetchval(COUNT_WAITING))


@asynccontextmanager
async def locked_table(connection: Connection, table: str) -> AsyncIterator[None]:
    """Lock the table, and cancel every statement that waits for it.

    The lock alone would have the same effect, but only after the statement time-out.
    """
    await connection.execute(f"begin; lock table {table} in access exclusive mode")
    over = asyncio.Event()
    refusing = asyncio.create_task(_cancel_waiting(connection, over))
    try:
        yield
    finally:
        over.set()
        await refusing
        await connection.execute("rollback")


async def _cancel_waiting(connection: Connection, over: asyncio.Event) -> None:
    while not over.is_set():
        await connection.execute(CANCEL_WAITING)
        await asyncio.sleep(0.01)
