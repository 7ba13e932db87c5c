"""PostgreSQL: a pool that raises `ServiceUnavailable` within seconds when it is away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Hashable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias
from urllib.parse import unquote, urlsplit

import asyncpg

from shared.errors import ServiceUnavailable
from shared.fair_pool import FairPool
from shared.logs import describe_error

Record: TypeAlias = asyncpg.Record
if TYPE_CHECKING:  # the classes are generic in their stubs alone
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = PoolConnectionProxy[Record]
    _BaseConnection = asyncpg.Connection[Record]
else:
    Connection = asyncpg.pool.PoolConnectionProxy
    _BaseConnection = asyncpg.Connection

CONNECT_SECONDS = 2
ACQUIRE_SECONDS = 3
STATEMENT_SECONDS = 5
RETRY_AFTER = 1
_UNAVAILABLE_ERRORS = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InternalClientError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.TransactionRollbackError,  # a deadlock's victim: nothing was done, a retry may succeed
    asyncpg.InvalidAuthorizationSpecificationError,  # the password is being replaced
    asyncpg.InvalidCatalogNameError,  # the database is not created yet
)


class _PlainConnection(_BaseConnection):
    """A connection without a reset query at each release.

    No state stays in a connection: no `SET`, no `LISTEN`, no session lock, no cursor.
    """

    def get_reset_query(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Limits of a pool whose callers could starve others, or the server.

    The server ends a statement after `statement_seconds`, and uses one process for it. A caller
    waits `wait_seconds` for a connection. While `callers` of them have or await one, the next
    caller is refused at once.
    """

    statement_seconds: float
    wait_seconds: float
    callers: int


class Database:
    """One service's database. Lending a connection raises `ServiceUnavailable` when it is away.

    Connections are lent first come, first served. asyncpg's pool wakes a waiter and lets a newcomer
    take the connection first, so a waiter could wait until its time was over. A task that holds a
    connection must not ask for another: as many such tasks as the pool has connections would wait
    for one another. `Publisher._rebuild_stream` does, but once at a time in a process.
    """

    def __init__(self, pool: "asyncpg.Pool[Record]", bounds: PoolLimits | None = None) -> None:
        self._pool = pool
        self.bounds = bounds
        self.last_error = ""
        """Why the database was last found unreachable, for operators."""
        self._wait_seconds = bounds.wait_seconds if bounds else ACQUIRE_SECONDS
        size = pool.get_max_size()
        self.key: Hashable = None
        """The queue key of the callers."""
        self._queue = FairPool[Hashable, int](
            range(size),
            refusal=partial(ServiceUnavailable, RETRY_AFTER, "Too many requests wait for this"),
            capacity=bounds.callers - size if bounds else float("inf"),
        )

    def with_fairness_key(self, key: Hashable) -> Self:
        """Return the same pool for one key, such as a network; keys take turns at it."""
        view = copy(self)
        view.key = key
        return view

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend one connection for the block; waiting for it and connecting share one time-out."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._wait_seconds
        slot = await self._queue.acquire(self.key, self._wait_seconds)
        try:
            async with self._pool.acquire(timeout=deadline - loop.time()) as connection:
                yield connection
        except asyncpg.QueryCanceledError as slow:
            raise ServiceUnavailable(RETRY_AFTER, "The database took too long") from slow
        except _UNAVAILABLE_ERRORS as away:
            if isinstance(away, ValueError):  # asyncpg raises it for an argument of the wrong type
                raise
            raise ServiceUnavailable(RETRY_AFTER, "The database cannot be reached") from away
        finally:
            self._queue.release(slot)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend one connection in a transaction, committed unless the block raises."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def fetch(self, query: str, *arguments: object) -> list[Record]:
        """Return the rows of one statement, as `Connection.fetch`, on a connection of its own."""
        async with self.connection() as connection:
            return await connection.fetch(query, *arguments)

    async def fetchrow(self, query: str, *arguments: object) -> Record | None:
        """Return the first row of one statement, likewise."""
        async with self.connection() as connection:
            return await connection.fetchrow(query, *arguments)

    async def fetchval(self, query: str, *arguments: object) -> Any:
        """Return the first value of the first row, likewise."""
        async with self.connection() as connection:
            return await connection.fetchval(query, *arguments)

    async def execute(self, query: str, *arguments: object) -> str:
        """Run one statement and return its status, such as `DELETE 3`, likewise."""
        async with self.connection() as connection:
            return await connection.execute(query, *arguments)

    async def is_reachable(self) -> bool:
        """Return whether a statement succeeds now."""
        try:
            await self.fetchval("SELECT 1")
        except (ServiceUnavailable, asyncpg.PostgresError) as refused:
            self.last_error = describe_error(refused)
            return False
        return True


Executor: TypeAlias = Connection | Database
"""Runs one statement: on a connection, perhaps in its transaction, or on one of its own."""


def parameters(columns: Sequence[str]) -> str:
    """Return the parameters of a statement with a value for each of the columns: `$1, $2, …`."""
    return ", ".join(f"${number}" for number in range(1, len(columns) + 1))


async def _read_password(file: Path) -> str:
    """Return the password in the URL that the file holds now."""
    url = await asyncio.to_thread(file.read_text, encoding="utf-8")
    return unquote(urlsplit(url.strip()).password or "")


@contextlib.asynccontextmanager
async def open_database(
    dsn: str, *, mounted: Path | None = None, size: int = 10, bounds: PoolLimits | None = None
) -> AsyncIterator[Database]:
    """Open a pool of up to `size` connections, each made when first needed and pinned to UTC.

    Opening needs no server: a service may start before its database. `mounted`: the file that
    `dsn` was read from. If that has a password, each new connection reads it again. `bounds`: for
    callers that could starve others.
    """
    session, command_timeout = {"timezone": "UTC", "jit": "off"}, float(STATEMENT_SECONDS)
    if bounds:
        # The server ends a statement earlier, unless it is unresponsive.
        command_timeout = bounds.statement_seconds + CONNECT_SECONDS
        session["statement_timeout"] = str(round(bounds.statement_seconds * 1000))
        session["max_parallel_workers_per_gather"] = "0"
    renewed = mounted if urlsplit(dsn).password else None
    async with asyncpg.create_pool(
        dsn,
        password=partial(_read_password, renewed) if renewed else None,
        min_size=0,
        max_size=size,
        timeout=CONNECT_SECONDS,
        command_timeout=command_timeout,
        connection_class=_PlainConnection,
        server_settings=session,
    ) as pool:
        yield Database(pool, bounds)
