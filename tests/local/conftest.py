"""A proxy before two dummy services."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from deploy.local.proxy import create_proxy
from shared.origins import AllowedOrigins
from shared.server import Lifecycle, listening
from tests.local.dummy_service import DummyService

APP = "https://app.example"


@dataclass
class RunningProxy:
    """A proxy that listens, and the service behind most of its addresses."""

    port: int
    media: DummyService
    media_socket: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def sockets() -> Iterator[Path]:
    """A directory whose path is short enough for sockets in it."""
    with tempfile.TemporaryDirectory(prefix="cs-") as folder:
        yield Path(folder)


@pytest.fixture
async def proxy(sockets: Path) -> AsyncIterator[RunningProxy]:
    auth, media = sockets / "auth.sock", sockets / "media.sock"
    behind = {socket: DummyService(socket.with_suffix(".bin")) for socket in (auth, media)}
    async with AsyncExitStack() as stack:
        for socket, dummy in behind.items():
            app = dummy.application()
            runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.UnixSite(runner, socket).start()
        application = create_proxy(
            auth, media, AllowedOrigins("http://localhost", frozenset({APP}))
        )
        address = await stack.enter_async_context(
            listening(
                application, "127.0.0.1", 0, lifecycle=Lifecycle(grace=0.5), cancel_abandoned=True
            )
        )
        port = int(address.rpartition(":")[2])
        yield RunningProxy(port, behind[media], media)


@pytest.fixture
async def client() -> AsyncIterator[ClientSession]:
    async with ClientSession(auto_decompress=False) as session:
        yield session
