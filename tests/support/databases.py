"""Migrated databases: copied from a template, used by one test, emptied, used by the next."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from typing import Any, Self

import asyncpg

from deploy.local.postgres import Postgres
from migrations.run import FOLDERS, migrate_up
from tests.support.database import Connection
from tests.support.lasting_loop import lasting_loop

SERVICES = ("auth", "media")
END_OTHERS = """
select pg_terminate_backend(pid, 5000) from pg_stat_activity
where datname = current_database() and backend_type = 'client backend'
and pid <> pg_backend_pid()"""
TABLES = """
select format('%I.%I', schemaname, tablename) from pg_tables
where schemaname = 'public' and tablename <> 'schema_migrations'"""
NO_TRIGGERS = "set session_replication_role = replica"  # nor foreign keys, whose order would matter
CLEANER = {"application_name": "cleaner"}
"""A session of ours in a database that a test uses, for queries that look for the test's own."""
# A function keeps its plans. A shared database keeps its tables: they are emptied, not compared.
SHARE = """
create function empty_tables() returns void language plpgsql as $$ begin {deletions}; end $$;
create function keep_tables() returns event_trigger language plpgsql as $$
begin raise 'a test that changes tables creates a database of its own'; end $$;
create event trigger keep_tables on ddl_command_start execute function keep_tables()"""


class Databases:
    """Both services' databases on one server.

    Copying one costs the machine ten times what emptying it does, a few rows being all it holds.
    Connecting costs as much again: each has a connection that stays, in a loop that stays.
    """

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._numbers = count()
        self._idle: defaultdict[str, list[str]] = defaultdict(list)
        self._cleaners: dict[str, Connection] = {}
        self._loop: asyncio.AbstractEventLoop

    @contextmanager
    def lending(self) -> Iterator[Self]:
        """Make and migrate the templates; lend their copies inside the block."""
        with lasting_loop() as self._loop:
            self._run(self._prepare()).result()
            yield self
            self._run(self._close_cleaners()).result()

    def _run(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _prepare(self) -> None:
        async with self._connection("postgres") as administrator:
            for service in SERVICES:
                await administrator.execute(f"create database template_{service}")
                await migrate_up(self._server.dsn(f"template_{service}"), FOLDERS / service)

    async def _close_cleaners(self) -> None:
        for cleaner in self._cleaners.values():
            cleaner.terminate()  # the server may have been killed

    @asynccontextmanager
    async def create(self, service: str) -> AsyncIterator[str]:
        """A database that no other test uses; yields its DSN."""
        name = await self._copy(service)
        yield self._server.dsn(name)
        async with self._connection("postgres") as administrator:
            await administrator.execute(f"drop database {name} with (force)")

    @asynccontextmanager
    async def acquire(self, service: str) -> AsyncIterator[str]:
        """An empty database whose tables must not change; yields its DSN."""
        idle = self._idle[service]
        name = idle.pop() if idle else await self._copy_to_share(service)
        yield self._server.dsn(name)
        await asyncio.wrap_future(self._run(self._empty(name)))
        idle.append(name)

    async def _empty(self, name: str) -> None:
        """End all other connections, then delete every row."""
        try:
            await self._clean(name)
        except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError):
            await self._clean(name)  # the test ended our connection, or the server

    async def _clean(self, name: str) -> None:
        cleaner = self._cleaners.get(name)
        if cleaner is None or cleaner.is_closed():
            dsn = self._server.dsn(name)
            cleaner = self._cleaners[name] = await asyncpg.connect(dsn, server_settings=CLEANER)
            await cleaner.execute(NO_TRIGGERS)
        await cleaner.fetch(END_OTHERS)
        await cleaner.fetch("select empty_tables()")

    async def _copy(self, service: str) -> str:
        name = f"{service}_{next(self._numbers)}"
        copy = f"create database {name} template template_{service} strategy wal_log"
        async with self._connection("postgres") as administrator:
            await administrator.execute(copy)
        return name

    async def _copy_to_share(self, service: str) -> str:
        name = await self._copy(service)
        async with self._connection(name) as connection:
            tables = [row[0] for row in await connection.fetch(TABLES)]
            deletions = "; ".join(f"delete from {table}" for table in tables)
            await connection.execute(SHARE.format(deletions=deletions))
        return name

    @asynccontextmanager
    async def _connection(self, database: str) -> AsyncIterator[Connection]:
        connection = await asyncpg.connect(self._server.dsn(database))
        try:
            yield connection
        finally:
            await connection.close()
