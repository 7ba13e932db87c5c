"""A network between a service and a server that also loses what it carries, or is slow."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from tests.support.proxy import Proxy


@dataclass
class Link(Proxy):
    """A proxy whose connections can be left half open.

    `lose` drops every byte, in silence; `mend` carries new connections, while those that there
    were stay as they are: open on both ends, and dead. `deafen` does that to those alone that
    have subscribed to a channel. `delay`: seconds that each chunk takes.
    """

    delay: float = 0
    subscriptions: int = 0
    _life: int = 0
    _losing: bool = False
    _deaf_up_to: int = 0

    def lose(self) -> None:
        self._losing = True
        self._life += 1

    def mend(self) -> None:
        self._losing = False
        self._life += 1

    def deafen(self) -> None:
        self._deaf_up_to = self.subscriptions

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, who: str, turn: list[str]
    ) -> None:
        """Pass one way on; `turn`, which both ways share, takes the number of a subscription."""
        life = self._life
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if b"SUBSCRIBE" in data:
                    self.subscriptions += 1
                    turn.append(str(self.subscriptions))
                await self._passing.wait()
                await asyncio.sleep(self.delay)
                deaf = len(turn) > 1 and int(turn[1]) <= self._deaf_up_to
                if life == self._life and not self._losing and not deaf:
                    writer.write(data)
                    await writer.drain()


@contextlib.asynccontextmanager
async def linking(target: int) -> AsyncIterator[Link]:
    """A link to a port of this machine."""
    link = Link(target)
    await link.appear()
    try:
        yield link
    finally:
        await link.close()
