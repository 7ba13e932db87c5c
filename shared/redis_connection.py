"""One connection to Redis that is never replaced without notice."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import hiredis
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from shared.redis_subscription import Subscription

CONNECT_TIMEOUT_SECONDS = 0.5
RESPONSE_TIMEOUT_SECONDS = 1.0
PING_AFTER_SECONDS = 1.0
UNRESPONSIVE_AFTER_PINGS = 3


class RedisConnection:
    """A connection that ends with an error when it is lost.

    redis-py's clients connect again in silence, perhaps to another server, and a subscription of
    theirs then lacks what was published meanwhile.
    """

    def __init__(self, connection: AbstractConnection) -> None:
        """Use an open connection, which nothing else uses."""
        self._connection = connection

    async def execute(self, *commands: Sequence[str | bytes | int]) -> list[Any]:
        """Return Redis' answers to commands, which are sent at once and run in their order.

        Raises:
            RedisError, OSError: a command was refused, or the connection is lost.
            TimeoutError: it was not answered in time; the connection is of no more use.
        """
        async with asyncio.timeout(RESPONSE_TIMEOUT_SECONDS):
            await self._send(*commands)
            answers = [await self._read() for _ in commands]
        for answer in answers:
            if isinstance(answer, ResponseError):
                raise answer
        return answers

    async def _send(self, *commands: Sequence[str | bytes | int]) -> None:
        if not self._connection.is_connected:  # redis-py would connect again
            raise RedisConnectionError("the connection is lost")
        packed = b"".join(
            hiredis.pack_command(tuple(command))  # type: ignore[arg-type] # its stub: 1-tuples only
            for command in commands
        )
        await self._connection.send_packed_command(packed, check_health=False)

    async def _read(self) -> Any:
        try:
            return await self._connection.read_response()
        except ResponseError as refused:  # the answers to later commands follow
            return refused

    async def subscribe(
        self,
        channel: str,
        on_message: Callable[[bytes], None],
        gather_seconds: Callable[[], float] = lambda: 0,
    ) -> Subscription:
        """Give each message of a channel to `on_message`, in order, from now on.

        The connection takes no other command any more.

        Raises:
            RedisError, OSError, TimeoutError: as `execute` does.
        """
        redis_py: Any = self._connection
        transport = redis_py._writer.transport  # noqa: SLF001 - it has no public name
        subscription = Subscription(transport, on_message, gather_seconds)
        transport.set_protocol(subscription)
        await self._send(("SUBSCRIBE", channel))
        async with asyncio.timeout(RESPONSE_TIMEOUT_SECONDS):
            await subscription.received.wait()
        subscription.raise_if_lost()
        return subscription

    async def wait_until_lost(self, subscription: Subscription) -> None:
        """Keep this connection's subscription for as long as Redis answers.

        Raises:
            RedisError, OSError, TimeoutError: the connection is lost, or answers no ping.
        """
        unanswered = 0
        while unanswered <= UNRESPONSIVE_AFTER_PINGS:
            subscription.received.clear()
            await asyncio.wait([subscription.lost], timeout=PING_AFTER_SECONDS)
            subscription.raise_if_lost()
            unanswered = 0 if subscription.received.is_set() else unanswered + 1
            if unanswered:
                await self._send(("PING",))
        raise TimeoutError("the subscription is unresponsive")


def to_mapping(fields: Sequence[bytes]) -> dict[bytes, bytes]:
    """Return a hash's or an entry's fields, which Redis lists as names and values in turn."""
    return dict(zip(fields[::2], fields[1::2], strict=True))


@contextlib.asynccontextmanager
async def open_connection(pool: ConnectionPool) -> AsyncIterator[RedisConnection]:
    """Open a new connection for the block.

    Raises:
        RedisError, OSError, TimeoutError: Redis does not answer within half a second.
    """
    connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
            await connection.connect()  # type: ignore[no-untyped-call]
        # redis-py's own time-out may swallow a cancellation (`asyncio.wait_for` of Python 3.11).
        connection.socket_timeout = None
        yield RedisConnection(connection)
    finally:
        await connection.disconnect(nowait=True)
