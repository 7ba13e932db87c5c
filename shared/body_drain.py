"""Reading and dropping the rest of a refused body, so that its sender gets to read the answer.

A socket that is closed with unread bytes resets its connection. A client that still sends then sees
a broken pipe instead of the answer. Source: RFC 9112 §9.6.
"""

import asyncio
import contextlib
from dataclasses import dataclass

from aiohttp import StreamReader, web

DRAIN_SECONDS = 30
BRIEF_SECONDS = 2
"""The limit while the service ends, and for each connection above `MAX_CONNECTIONS`."""
PAUSE_SECONDS = 5
"""A client that sends nothing for so long has stopped, or is not worth a connection."""
MAX_BYTES = 64 * 1024 * 1024
MAX_CONNECTIONS = 256


@dataclass
class DrainCounter:
    """Counts the connections of one server that are being drained."""

    count: int = 0


class BodyDrain:
    """Drains the bodies of one connection, one after the other."""

    def __init__(self, counter: DrainCounter) -> None:
        """Drain nothing yet; all connections of the server share `counter`."""
        self._counter = counter
        self._deadline: asyncio.Timeout | None = None

    async def drain(self, body: StreamReader, *, brief: bool) -> None:
        """Return when the body has ended, or a bound on time, pace or bytes is reached."""
        brief = brief or self._counter.count >= MAX_CONNECTIONS
        self._counter.count += 1
        # A broken body or a lost connection ends it too: the answer is sent already.
        with contextlib.suppress(TimeoutError, ConnectionError, web.RequestPayloadError):
            try:
                async with asyncio.timeout(
                    BRIEF_SECONDS if brief else DRAIN_SECONDS
                ) as self._deadline:
                    await _drop(body)
            finally:
                self._deadline = None
                self._counter.count -= 1

    def end_within(self, seconds: float) -> None:
        """End the drain within that time, if one is running."""
        deadline = self._deadline
        if deadline is None or deadline.expired():
            return
        end = asyncio.get_running_loop().time() + seconds
        deadline.reschedule(min(end, deadline.when() or end))


async def _drop(body: StreamReader) -> None:
    remaining = MAX_BYTES
    while remaining > 0:
        async with asyncio.timeout(PAUSE_SECONDS):
            piece = await body.readany()
        if not piece:
            return
        remaining -= len(piece)
