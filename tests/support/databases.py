"""Migrated databases: copied from a template, used by one test, emptied, used by the next."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Self

import asyncpg

from deploy.local.postgres import Postgres
from migrations.run import FOLDERS, migrate_up
from tests.support.database import Connection

SERVICES = ("auth", "media")
END_OTHERS = """
select pg_terminate_backend(pid, 5000) from pg_stat_activity
where datname = current_database() and backend_type = 'client backend'
and pid <> pg_backend_pid()"""
TABLES = """
select format('%I.%I', schemaname, tablename) from pg_tables
where schemaname = 'public' and tablename <> 'schema_migrations'"""
NO_TRIGGERS = "set session_replication_role = replica"  # nor foreign keys, whose order would matter
# A shared database keeps its tables: they are emptied, not compared.
KEEP_TABLES = """
create function keep_tables() returns event_trigger language plpgsql as $$
begin raise 'a test that changes tables creates a database of its own'; end $$;
create event trigger keep_tables on ddl_command_start execute function keep_tables()"""


class Databases:
    """Both services' databases on one server.

    Copying one costs the machine ten times what emptying it does, a few rows being all it holds.
    """

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._numbers = count()
        self._idle: defaultdict[str, list[str]] = defaultdict(list)

    async def prepare(self) -> Self:
        """Make and migrate the templates."""
        async with self._connection("postgres") as administrator:
            for service in SERVICES:
                await administrator.execute(f"create database template_{service}")
                await migrate_up(self._server.dsn(f"template_{service}"), FOLDERS / service)
        return self

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
        async with self._connection(name) as connection:
            await _empty(connection)
        idle.append(name)

    async def _copy(self, service: str) -> str:
        name = f"{service}_{next(self._numbers)}"
        copy = f"create database {name} template template_{service} strategy wal_log"
        async with self._connection("postgres") as administrator:
            await administrator.execute(copy)
        return name

    async def _copy_to_share(self, service: str) -> str:
        name = await self._copy(service)
        async with self._connection(name) as connection:
            await connection.execute(KEEP_TABLES)
        return name

    @asynccontextmanager
    async def _connection(self, database: str) -> AsyncIterator[Connection]:
        connection = await asyncpg.connect(self._server.dsn(database))
        try:
            yield connection
        finally:
            await connection.close()


async def _empty(connection: Connection) -> None:
    """End all other connections, then delete every row."""
    await connection.execute(END_OTHERS)
    tables = [row[0] for row in await connection.fetch(TABLES)]
    await connection.execute("; ".join([NO_TRIGGERS, *(f"delete from {name}" for name in tables)]))
