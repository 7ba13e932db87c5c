"""A proxy that also drops bytes in silence, or delays them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from tests.support.proxy import Proxy


@dataclass
class LossyProxy(Proxy):
    """A proxy whose connections can be left half open.

    `drop_bytes` drops every byte without closing a connection. `accept_again` serves new
    connections, while the old ones stay open on both ends, and dead. `drop_subscriptions` does
    that only to connections that have subscribed to a channel. `delay`: seconds for each chunk.
    """

    delay: float = 0
    subscriptions: int = 0
    _life: int = 0
    _dropping: bool = False
    _dropped_up_to: int = 0

    def drop_bytes(self) -> None:
        self._dropping = True
        self._life += 1

    def accept_again(self) -> None:
        self._dropping = False
        self._life += 1

    def drop_subscriptions(self) -> None:
        self._dropped_up_to = self.subscriptions

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, who: str, turn: list[str]
    ) -> None:
        """Pass one direction on; `turn`, which both share, takes a subscription's number."""
        life = self._life
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if b"SUBSCRIBE" in data:
                    self.subscriptions += 1
                    turn.append(str(self.subscriptions))
                await self._passing.wait()
                await asyncio.sleep(self.delay)
                dropped = len(turn) > 1 and int(turn[1]) <= self._dropped_up_to
                if life == self._life and not self._dropping and not dropped:
                    writer.write(data)
                    await writer.drain()


@contextlib.asynccontextmanager
async def open_lossy_proxy(target: int) -> AsyncIterator[LossyProxy]:
    """A proxy to a port of this machine."""
    proxy = LossyProxy(target)
    await proxy.listen()
    try:
        yield proxy
    finally:
        await proxy.close()
