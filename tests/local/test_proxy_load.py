"""Many callers of the local proxy at once are all answered."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector

from deploy.local.proxy import create_proxy
from shared.origins import AllowedOrigins
from shared.problem import DOCS
from shared.server import listening
from tests.local.dummy_service import DummyService

CALLERS, AT_ONCE = 256, 32


@asynccontextmanager
async def busy_service(sockets: Path) -> AsyncIterator[threading.Event]:
    """A service in a thread of its own, whose loop accepts nothing until the event is set."""
    listens, is_busy, go = threading.Event(), threading.Event(), threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []
    end = asyncio.Event()

    async def serve() -> None:
        app = DummyService(sockets / "file").application()
        app[DOCS] = "/"
        async with listening(app, f"unix:{sockets / 'media.sock'}", 0):
            loops.append(asyncio.get_running_loop())
            listens.set()
            await end.wait()

    def block() -> None:
        is_busy.set()
        go.wait(10)

    serving = asyncio.create_task(asyncio.to_thread(asyncio.run, serve()))
    try:
        await asyncio.to_thread(listens.wait, 10)
        loops[0].call_soon_threadsafe(block)
        await asyncio.to_thread(is_busy.wait, 10)
        yield go
    finally:
        go.set()
        loops[0].call_soon_threadsafe(end.set)
        await serving


async def test_proxy_256_callers_of_busy_service_are_all_answered(sockets: Path) -> None:
    """All of them connect before the service accepts one."""
    proxy = create_proxy(
        sockets / "auth.sock", sockets / "media.sock", AllowedOrigins("http://localhost")
    )
    async with (
        busy_service(sockets) as go,
        listening(proxy, "127.0.0.1", 0) as address,
        ClientSession(address, connector=TCPConnector(limit=0)) as client,
    ):

        async def ask() -> tuple[int, str]:
            async with client.post("/v1/media/count", data=b"x") as answer:
                return answer.status, await answer.text()

        asking = list[asyncio.Task[tuple[int, str]]]()
        while len(asking) < CALLERS:
            asking += [asyncio.create_task(ask()) for _ in range(AT_ONCE)]
            await asyncio.wait(asking, timeout=0.2)
        go.set()
        answers = await asyncio.gather(*asking)
    assert {status for status, _ in answers} == {200}
    assert sorted(int(text) for _, text in answers) == list(range(1, CALLERS + 1))


@pytest.mark.parametrize("host", ["127.0.0.1", "unix"])
async def test_listening_many_callers_of_busy_service_wait(sockets: Path, host: str) -> None:
    """All of them connect while the loop, which would accept them, does something else."""
    app = DummyService(sockets / "file").application()
    app[DOCS] = "/"
    path = f"unix:{sockets / 'service.sock'}" if host == "unix" else host
    async with listening(app, path, 0) as address:
        family = socket.AF_UNIX if host == "unix" else socket.AF_INET
        callers = [socket.socket(family) for _ in range(CALLERS)]
        try:
            for caller in callers:
                caller.settimeout(0.5)
                caller.connect(_target(address))
        finally:
            for caller in callers:
                caller.close()


def _target(address: str) -> str | tuple[str, int]:
    if address.startswith("unix:"):
        return address.removeprefix("unix:")
    return "127.0.0.1", int(address.rpartition(":")[2])
