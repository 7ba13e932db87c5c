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
    were stay as they are: open on both ends, and dead. `delay`: seconds that each chunk takes.
    """

    delay: float = 0
    _life: int = 0
    _losing: bool = False

    def lose(self) -> None:
        self._losing = True
        self._life += 1

    def mend(self) -> None:
        self._losing = False
        self._life += 1

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, who: str, turn: list[str]
    ) -> None:
        life = self._life
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._passing.wait()
                await asyncio.sleep(self.delay)
                if life == self._life and not self._losing:
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
