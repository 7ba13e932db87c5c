"""Connections to Redis, of which the idle ones may be closed at any moment."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import MaxConnectionsError

MOST = 100


class ConnectionLender:
    """Lends connections, the one that was used last first, and at most 100 at once.

    redis-py's own pool closes its idle connections step by step, and meanwhile lends them: what was
    sent on one is then lost.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        """Make and check connections as `pool` does; its own stay unused."""
        self._pool = pool
        self._idle: list[AbstractConnection] = []
        self._lent: set[AbstractConnection] = set()

    @contextlib.asynccontextmanager
    async def acquire(self) -> AsyncIterator[AbstractConnection]:
        """Lend a connection that has said its password and has nothing left to read.

        Raises:
            RedisError, OSError: there is none to be had.
        """
        if len(self._lent) >= MOST:
            raise MaxConnectionsError
        connection = self._idle.pop() if self._idle else self._made()
        self._lent.add(connection)
        try:
            await self._pool.ensure_connection(connection)
            yield connection
        except BaseException:
            await connection.disconnect(nowait=True)  # what it has not read is nobody else's answer
            raise
        finally:
            self._lent.remove(connection)
            self._idle.append(connection)

    def _made(self) -> AbstractConnection:
        made: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        return made

    async def close_idle(self) -> None:
        """Close what nobody uses, which is lent no more from the moment of the call.

        Also when one cannot be closed in time, or nobody waits for it any more.
        """
        idle, self._idle = self._idle, []
        closing = (connection.disconnect() for connection in idle)
        await asyncio.shield(asyncio.gather(*closing, return_exceptions=True))
