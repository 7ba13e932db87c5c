"""Connections to Redis, of which the idle ones may be closed at any moment."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import MaxConnectionsError

MAX_CONNECTIONS = 100


class RedisConnectionPool:
    """A pool of at most 100 connections; the one that was used last is lent first.

    redis-py's own pool still lends idle connections while it closes them, and loses the commands
    that are sent on those.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        """Make and check connections as `pool` does; its own stay unused."""
        self.pool = pool
        self._idle: list[AbstractConnection] = []
        self._in_use: set[AbstractConnection] = set()

    @contextlib.asynccontextmanager
    async def acquire(self) -> AsyncIterator[AbstractConnection]:
        """Lend a connection that is authenticated and has nothing left to read.

        Raises:
            RedisError, OSError: no connection is available.
        """
        if len(self._in_use) >= MAX_CONNECTIONS:
            raise MaxConnectionsError
        connection: AbstractConnection = (
            self._idle.pop() if self._idle else self.pool.make_connection()  # type: ignore[no-untyped-call]
        )
        self._in_use.add(connection)
        try:
            await self.pool.ensure_connection(connection)
            yield connection
        except BaseException:
            await connection.disconnect(nowait=True)  # drops unread answers
            raise
        finally:
            self._in_use.remove(connection)
            self._idle.append(connection)

    async def close_idle(self) -> None:
        """Close the idle connections; none of them is lent after the call.

        All are closed even if one fails or the caller is cancelled.
        """
        idle, self._idle = self._idle, []
        closing = (connection.disconnect() for connection in idle)
        await asyncio.shield(asyncio.gather(*closing, return_exceptions=True))
