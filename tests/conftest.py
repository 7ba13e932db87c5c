"""Real servers: one PostgreSQL and one Valkey per worker, an empty database per test."""

import gc
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import ClientSession, web
from redis.asyncio import Redis

from auth_service.app import create_app as create_auth_app
from auth_service.settings import AuthSettings
from auth_service.signing.keystore import KeyStore
from deploy.local.postgres import Postgres
from deploy.local.valkey import Valkey
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.server import listening
from tests.support.auth_client import AuthClient
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.databases import Databases
from tests.support.decoders import DecoderLender
from tests.support.passkey_client import ORIGIN
from tests.support.rare_jobs import with_rare_jobs, without_rare_jobs
from tests.support.settings import build_settings
from tests.support.waiting import until
from tests.support.webhook_receiver import Receiver, open_receiver

pytest_plugins = ["tests.support.documented_answers_plugin"]

SECRET = "a-secret-of-the-test-suite-0123456789abcdef"
REVOCATION_KEY = "a-revocation-key-of-the-suite-0123456789ab"
MEDIA_SECRET = "a-media-secret-of-the-suite-0123456789abcde"
ISSUER = "http://127.0.0.1:8000"
AUDIENCE = "cheershare"


def pytest_collection_finish() -> None:
    """Spare each garbage collection a walk through all tests and modules."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def shared_decoders() -> Iterator[None]:
    """Lend media_service in the tests' own process its decoders."""
    lender = DecoderLender()
    with lender.running(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("media_service.wiring.open_decoder_pool", lender.open_pool)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_rare_jobs() -> Iterator[None]:
    """Let services in the tests' own process leave rare jobs for later."""
    with without_rare_jobs():
        yield


@pytest.fixture
def rare_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let services begin them at once, for tests that are about one of these jobs."""
    with_rare_jobs(monkeypatch)


@pytest.fixture(scope="session")
def data_folder() -> Iterator[Path]:
    # Not below pytest's own folder: PostgreSQL runs as another user when the suite runs as root.
    base = Path("/var/tmp") if os.geteuid() == 0 else None  # noqa: S108 - made private right here
    folder = Path(tempfile.mkdtemp(prefix="cheershare-test-", dir=base))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(data_folder: Path) -> Iterator[Postgres]:
    server = Postgres(data_folder / "postgres", durable=False, password="suite")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def valkey(data_folder: Path) -> Iterator[Valkey]:
    server = Valkey(data_folder / "valkey", durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def databases(postgres: Postgres) -> Iterator[Databases]:
    """Lends and makes migrated databases."""
    with Databases(postgres).lending() as lender:
        yield lender


@pytest.fixture
async def auth_dsn(databases: Databases) -> AsyncIterator[str]:
    async with databases.acquire("auth") as dsn:
        yield dsn


@pytest.fixture
async def auth_db(auth_dsn: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(auth_dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def media_dsn(databases: Databases) -> AsyncIterator[str]:
    async with databases.acquire("media") as dsn:
        yield dsn


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[Redis]:
    """An empty Valkey."""
    client = Redis.from_url(valkey.url())
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> MovableClock:
    """A clock for a world whose time passes: PostgreSQL's clock counts as moved with it."""
    monkeypatch.setattr("shared.clock_check.TOLERANCE_SECONDS", float("inf"))
    return MovableClock()


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with one signing key."""
    folder = tmp_path_factory.mktemp("keys")
    KeyStore(folder).create("EdDSA", signs_from=SystemClock().now())
    return folder


@pytest.fixture
def auth_settings(
    auth_dsn: str, valkey: Valkey, redis: Redis, keys_folder: Path
) -> Callable[..., AuthSettings]:
    """Makes settings without limits; a test that is about limits names its own."""

    def make(**changes: Any) -> AuthSettings:
        values: dict[str, Any] = {
            "env": "development",
            "public_url": ISSUER,
            "auth_database_url": auth_dsn,
            "redis_url": valkey.url(),
            "jwt_private_keys_dir": keys_folder,
            "secret_keys": SECRET,
            "revocation_key": REVOCATION_KEY,
            "otp_cooldown": 0,
            "publish_worker": False,  # a test of webhooks turns it on
            "argon2_memory_kib": 64,
            "argon2_time": 1,
            "revocation_max_staleness": 0.05,  # no subscriber is there to be waited for
            **{name: "" for name in AuthSettings.model_fields if name.startswith("limit_")},
        }
        return build_settings(AuthSettings, values | changes)

    return make


@asynccontextmanager
async def _serving(app: web.Application) -> AsyncIterator[ClientSession]:
    async with listening(app, "127.0.0.1", 0) as address, ClientSession(address) as session:
        yield session


@pytest.fixture
def serving() -> Callable[[web.Application], Any]:
    """Serves an application as it is served for real, inside an `async with`."""
    return _serving


@pytest.fixture
def serving_auth(
    auth_settings: Callable[..., AuthSettings], clock: MovableClock
) -> Callable[..., Any]:
    """Serves auth_service with changed settings inside an `async with`; yields an AuthClient.

    Once it is ready, before which no sign-out succeeds; `ready=False`: at once.
    """

    @asynccontextmanager
    async def serve(*, ready: bool = True, **changes: Any) -> AsyncIterator[AuthClient]:
        app = create_auth_app(auth_settings(**changes), clock=clock, entropy=SystemEntropy())
        async with _serving(app) as http:
            client = AuthClient(http)
            if ready:
                await until(client.ready)
            yield client

    return serve


@pytest.fixture
async def auth(serving_auth: Callable[..., Any]) -> AsyncIterator[AuthClient]:
    """auth_service without limits."""
    async with serving_auth() as client:
        yield client


@pytest.fixture
async def passkey_auth(serving_auth: Callable[..., Any]) -> AsyncIterator[AuthClient]:
    """auth_service at a name, which browsers make passkeys for."""
    async with serving_auth(webauthn_rp_id="localhost", webauthn_origins=ORIGIN) as client:
        yield client


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as opened:
        yield opened
