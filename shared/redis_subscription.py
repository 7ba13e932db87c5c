"""What a subscription to a channel of Redis receives."""

import asyncio
from collections.abc import Callable

import hiredis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

SHORTEST_PAUSE_SECONDS = 0.001


class Subscription(asyncio.Protocol):
    """Hands over each message in the step of the loop that receives it.

    redis-py wakes a task for each packet, which costs more than a short message does. `received` is
    set when Redis says anything or the connection is lost; `lost` holds the cause.
    """

    def __init__(
        self,
        transport: asyncio.ReadTransport,
        on_message: Callable[[bytes], None],
        gather_seconds: Callable[[], float],
    ) -> None:
        """Give each message to `on_message`; after some, let more gather for so long."""
        self._transport = transport
        self._on_message = on_message
        self._gather_seconds = gather_seconds
        self._parser = hiredis.Reader(replyError=ResponseError)
        self.received = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[Exception] = self._loop.create_future()

    def data_received(self, data: bytes) -> None:
        """Take messages; answers to `SUBSCRIBE` and `PING` only show that Redis is there."""
        self.received.set()
        self._parser.feed(data)
        while answer := self._parser.gets():
            if isinstance(answer, ResponseError):
                self.connection_lost(answer)
            elif answer[0] == b"message":
                self._on_message(answer[2])
        if (pause := self._gather_seconds()) >= SHORTEST_PAUSE_SECONDS:
            self._transport.pause_reading()
            self._loop.call_later(pause, self._transport.resume_reading)

    def connection_lost(self, exc: Exception | None) -> None:
        """Keep the cause."""
        self.received.set()
        if not self.lost.done():
            self.lost.set_result(exc or RedisConnectionError("Redis has closed the connection"))

    def raise_if_lost(self) -> None:
        """Raise the cause if the connection is lost."""
        if self.lost.done():
            raise self.lost.result()
