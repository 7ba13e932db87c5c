"""media_service on real servers, with a signing key of the suite's own."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiohttp import ClientSession, web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from redis.asyncio import Redis

from deploy.local.valkey import Valkey
from media_service.app import create_app
from media_service.image.worker import process
from media_service.publishing.service import Publisher
from media_service.settings import MediaSettings
from media_service.storage import factory
from media_service.upload.request import UPLOAD_LIMITS
from shared.clock_check import ClockCheck
from shared.db import Database, open_database
from shared.entropy import SystemEntropy
from tests.conftest import AUDIENCE, ISSUER, MEDIA_SECRET, REVOCATION_KEY
from tests.support.clock import MovableClock
from tests.support.command_process import KillPoint, run_command, wait_for_address
from tests.support.database import Connection
from tests.support.decoders import StartedDecoders, started_decoders
from tests.support.media_client import MediaClient
from tests.support.moto_bucket import CREDENTIALS, MotoBucket, make_bucket, moto_server
from tests.support.publishing_workers import run_workers
from tests.support.tokens import Mint, open_epoch


@pytest.fixture
def measured_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the decoding processes hear of the coverage measurement, if there is one.

    For the tests that are about them: it doubles what starting one costs.
    """
    names = (*process.INHERITED, "COVERAGE_PROCESS_CONFIG")
    monkeypatch.setattr(process, "INHERITED", names)


@pytest.fixture(scope="session")
def mint() -> Mint:
    return Mint(Ed25519PrivateKey.generate(), ISSUER, AUDIENCE)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Where the service keeps its files."""
    return tmp_path / "files"


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """A server of buckets, in threads of this process."""
    with moto_server() as endpoint:
        yield endpoint


@pytest.fixture
def staging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files on their way to a bucket are staged, apart from those of other tests."""
    place = tmp_path / factory.TEMP_FOLDER
    monkeypatch.setattr(factory, "TEMP_FOLDER", str(place))
    return place


@pytest.fixture
def bucket(s3_endpoint: str, staging: Path, monkeypatch: pytest.MonkeyPatch) -> MotoBucket:
    """An empty bucket, and credentials for it in the environment."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return make_bucket(s3_endpoint, f"files-{uuid4()}")


@pytest.fixture
def jwks_file(tmp_path: Path, mint: Mint) -> Path:
    path = tmp_path / "jwks.json"
    mint.write_jwks(path)
    return path


@pytest.fixture
async def media_db(media_dsn: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(media_dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def publisher(media_dsn: str, clock: MovableClock) -> AsyncIterator[Publisher]:
    """A publisher that does a round when the test says so."""
    async with open_database(media_dsn) as database:
        yield Publisher(database, clock, ClockCheck(database, clock), SystemEntropy())


@pytest.fixture
def media_values(media_dsn: str, valkey: Valkey, files: Path, jwks_file: Path) -> dict[str, Any]:
    """The service's settings, by name."""
    return {
        "env": "development",
        "public_url": ISSUER,
        "media_database_url": media_dsn,
        "redis_url": valkey.url(),
        "jwks_file": jwks_file,
        "storage_url": files.as_uri(),
        "image_workers": 1,
        "revocation_key": REVOCATION_KEY,
        "media_secret_keys": MEDIA_SECRET,
        "user_uploads_per_day": 100_000,  # a test that is about limits names its own
        "user_concurrent_uploads": 1000,
        "limit_changes_per_user": "",
        "publish_worker": False,  # a creative of today stays as it was created
        "revocation_max_staleness": 25,  # a busy machine may hold everything up for seconds
    }


@pytest.fixture(autouse=True)
def short_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a moment only for attempts to hanging receivers, when a service ends."""
    monkeypatch.setattr("shared.webhooks.delivery.worker.END_SECONDS", 0.1)


@pytest.fixture
def serving_media(
    media_values: dict[str, Any],
    redis: Redis,
    clock: MovableClock,
    serving: Callable[[web.Application], Any],
    mint: Mint,
) -> Callable[..., Any]:
    """Serves media_service inside an `async with`; yields one user's client.

    `limits` are changes to `UploadLimits`, `settings` to the settings. A refused client that sends
    no more is soon cut off.
    """

    @asynccontextmanager
    async def serve(
        limits: dict[str, Any] | None = None, **settings: Any
    ) -> AsyncIterator[MediaClient]:
        await open_epoch(redis)
        values = MediaSettings(**(media_values | settings))
        app = create_app(values, clock=clock, entropy=SystemEntropy())
        app[UPLOAD_LIMITS] = replace(app[UPLOAD_LIMITS], **(limits or {}))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("shared.body_drain.PAUSE_SECONDS", 0.5)
            async with serving(app) as http:
                client = MediaClient.of(http, mint)
                async with asyncio.timeout(10):
                    while (await client.call("GET", "/creatives")).status != HTTPStatus.OK:
                        await asyncio.sleep(0.01)
                yield client

    return serve


@pytest.fixture
def media_environment(media_values: dict[str, Any]) -> dict[str, str]:
    """The same settings as environment variables."""
    values = {name.upper(): str(value) for name, value in media_values.items()}
    return {**os.environ, **values, "PORT": "0", "DRAIN_SECONDS": "0"}


@pytest.fixture
def running_media(
    media_environment: dict[str, str], redis: Redis, mint: Mint, tmp_path: Path
) -> Callable[..., Any]:
    """Runs `python -m media_service serve` inside an `async with`; yields process and client.

    With a `death` it kills itself there.
    """

    @asynccontextmanager
    async def run(death: KillPoint | None = None) -> AsyncIterator[tuple[BaseProcess, MediaClient]]:
        await open_epoch(redis)
        output = tmp_path / "service.log"
        started = run_command(
            "media_service", "serve", environment=media_environment, output=output, death=death
        )
        async with (
            started as service,
            asyncio.timeout(60),
            ClientSession(await wait_for_address(output)) as http,
        ):
            client = MediaClient.of(http, mint)
            while (await client.call("GET", "/creatives")).status != HTTPStatus.OK:
                await asyncio.sleep(0.01)
            yield service, client

    return run


@pytest.fixture
async def media(serving_media: Callable[..., Any]) -> AsyncIterator[MediaClient]:
    """media_service as it comes."""
    async with serving_media() as client:
        yield client


@pytest.fixture
async def database(media_dsn: str) -> AsyncIterator[Database]:
    async with open_database(media_dsn) as opened:
        yield opened


@pytest.fixture
def decoders() -> Iterator[StartedDecoders]:
    """Counts the decoders that start, and lets them run a program of the test's own."""
    with started_decoders() as started:
        yield started


@pytest.fixture
def workers(media_environment: dict[str, str], tmp_path: Path) -> Callable[[], Any]:
    """Starts `python -m media_service worker` three times; yields the processes."""
    return partial(run_workers, media_environment, tmp_path)
