"""A TCP proxy that a test can freeze, cut and close, and that counts round trips."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from tests.support.waiting import until


@dataclass
class Proxy:
    """Passes bytes on to `port` on loopback.

    `exchanges` counts how often a client spoke after the server had (round trips, on one
    connection); `connections` how many were accepted, of which some are still `alive`.
    """

    target: int
    port: int = 0
    exchanges: int = 0
    connections: int = 0
    alive: set[asyncio.StreamWriter] = field(default_factory=set)
    _server: asyncio.Server | None = None
    _passing: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def listen(self) -> None:
        """Listen, on the same port as before."""
        self._passing.set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Refuse connections, and cut those that there are."""
        if self._server is not None:
            server, self._server = self._server, None
            for listening in server.sockets:
                asyncio.get_running_loop().remove_reader(listening)
            await asyncio.sleep(0)  # asyncio trips over one accepted before its server closed
            server.close()
        self.cut()

    def cut(self) -> None:
        """Reset every connection."""
        for writer in list(self.alive):
            writer.transport.abort()

    def freeze(self) -> None:
        """Keep connections and take new ones, but pass nothing on."""
        self._passing.clear()

    def thaw(self) -> None:
        self._passing.set()

    async def wait_for_counts(self, *, connections: int, exchanges: int) -> None:
        """Wait until exactly so many were counted."""
        await until(lambda: (self.connections, self.exchanges) == (connections, exchanges))

    async def wait_until_unused(self) -> None:
        """Wait until no connection is open."""
        await until(lambda: not self.alive)

    async def close(self) -> None:
        await self.refuse()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self._server is None:  # let in at the very end
            writer.transport.abort()
            return
        self._tasks.add(task)
        self.connections += 1
        self.alive.add(writer)
        try:
            await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self.alive.discard(writer)
            self._tasks.discard(task)
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._passing.wait()
        onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", self.target)
        turn = ["server"]
        ways = [
            asyncio.create_task(self._pass(reader, onward_writer, "client", turn)),
            asyncio.create_task(self._pass(onward_reader, writer, "server", turn)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            onward_writer.transport.abort()
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        who: str,
        turn: list[str],
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if who == "client" and turn[0] == "server":
                    self.exchanges += 1
                turn[0] = who
                await self._passing.wait()
                writer.write(data)
                await writer.drain()


@contextlib.asynccontextmanager
async def open_proxy(target: int) -> AsyncIterator[Proxy]:
    """A proxy to a port of this machine."""
    proxy = Proxy(target)
    await proxy.listen()
    try:
        yield proxy
    finally:
        await proxy.close()
