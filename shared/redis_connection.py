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

    async def listen(self, channel: str, on_message: Callable[[bytes], None]) -> None:
        """Give each message of a channel to `on_message`, in order, until cancelled.

        `execute(("SUBSCRIBE", channel))` comes first.

        Raises:
            RedisError, OSError, TimeoutError: the connection is lost, or answers no ping.
        """
        unanswered = 0
        while True:
            count = 0
            with contextlib.suppress(TimeoutError):  # one time-out for many messages: it costs
                async with asyncio.timeout(PING_AFTER_SECONDS):
                    while True:
                        message = await self._connection.read_response(disconnect_on_error=False)
                        count += 1
                        if message[0] == b"message" and message[1] == channel.encode():
                            on_message(message[2])
            unanswered = 0 if count else unanswered + 1
            if unanswered > UNRESPONSIVE_AFTER_PINGS:
                raise TimeoutError("the subscription is unresponsive")
            if not count:
                await self._send(("PING",))


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
