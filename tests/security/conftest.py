"""The services' own fixtures for attacks that cross their folders, and one that is looked into."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import asyncpg
import pytest
from aiohttp import web

from auth_service.account.export import ExportReader
from auth_service.app import create_app
from auth_service.password.hasher import Hasher, open_hasher
from auth_service.settings import AuthSettings
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from tests.media.conftest import (
    decoders,
    files,
    jwks_file,
    media,
    media_environment,
    media_values,
    mint,
    serving_media,
)
from tests.support.auth_client import AuthClient
from tests.support.blocked_hashes import BlockedHashes, Open
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.exports import NUMBER, Served
from tests.support.waiting import until

__all__ = [
    "decoders",
    "files",
    "jwks_file",
    "media",
    "media_environment",
    "media_values",
    "mint",
    "serving_media",
]


@pytest.fixture
async def served(
    auth_settings: Callable[..., AuthSettings],
    serving: Callable[[web.Application], Any],
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Served]:
    app = create_app(auth_settings(), clock=clock, entropy=SystemEntropy())
    async with serving(app) as http:
        auth = AuthClient(http)
        await until(auth.ready)
        made = Served(app, auth, await auth.sign_in(NUMBER))
        whole = ExportReader.read

        async def counted(*arguments: Any) -> Any:
            made.reads += 1
            return await whole(*arguments)

        monkeypatch.setattr(ExportReader, "read", counted)
        yield made


@pytest.fixture
async def database(media_dsn: str) -> AsyncIterator[Connection]:
    """A connection of the test's own to media_service's database."""
    connection = await asyncpg.connect(media_dsn)
    yield connection
    await connection.close()


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[BlockedHashes]:
    """The threads of password hashes, which end none before the test lets them."""
    held = BlockedHashes()
    held.hold(monkeypatch)
    yield held
    held.go.set()


@pytest.fixture
def opened(auth_settings: Callable[..., AuthSettings]) -> Open:
    """Opens a hasher with one thread, unless the test says otherwise."""

    def make(**changes: Any) -> AbstractAsyncContextManager[Hasher]:
        settings = auth_settings(**{"argon2_concurrency": 1} | changes)
        return open_hasher(settings, SystemClock(), SystemEntropy())

    return make
