"""Real servers: one PostgreSQL and one Valkey per worker, a new database per test."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
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
from migrations.run import FOLDERS, migrate_up
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.shutdown import listening
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.journey import AuthClient
from tests.support.waiting import until

SECRET = "a-secret-of-the-test-suite-0123456789abcdef"
REVOCATION_KEY = "a-revocation-key-of-the-suite-0123456789ab"
ISSUER = "http://127.0.0.1:8000"
AUDIENCE = "cheershare"


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
def database_numbers() -> Iterator[int]:
    return count()


@pytest.fixture(scope="session")
def templates(postgres: Postgres) -> dict[str, str]:
    """A migrated database of each service, to be copied."""

    async def make() -> None:
        connection = await asyncpg.connect(postgres.dsn("postgres"))
        for name in ("auth", "media"):
            await connection.execute(f"create database template_{name}")
            await migrate_up(postgres.dsn(f"template_{name}"), FOLDERS / name)
        await connection.close()

    asyncio.run(make())
    return {"auth": "template_auth", "media": "template_media"}


@pytest.fixture
def new_database(
    postgres: Postgres, templates: dict[str, str], database_numbers: Iterator[int]
) -> Callable[[str], Any]:
    """Makes a migrated database of a service inside an `async with`; yields its DSN."""

    @asynccontextmanager
    async def make(service: str) -> AsyncIterator[str]:
        name = f"{service}_{next(database_numbers)}"
        administrator = await asyncpg.connect(postgres.dsn("postgres"))
        try:
            await administrator.execute(
                f"create database {name} template {templates[service]} strategy wal_log"
            )
            yield postgres.dsn(name)
            await administrator.execute(f"drop database {name} with (force)")
        finally:
            await administrator.close()

    return make


@pytest.fixture
async def auth_dsn(new_database: Callable[[str], Any]) -> AsyncIterator[str]:
    async with new_database("auth") as dsn:
        yield dsn


@pytest.fixture
async def auth_db(auth_dsn: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(auth_dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def media_dsn(new_database: Callable[[str], Any]) -> AsyncIterator[str]:
    async with new_database("media") as dsn:
        yield dsn


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[Redis]:
    """An empty Valkey."""
    client = Redis.from_url(valkey.url())
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def clock() -> MovableClock:
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
            "argon2_memory_kib": 64,
            "argon2_time": 1,
            **{name: "" for name in AuthSettings.model_fields if name.startswith("limit_")},
        }
        return AuthSettings(**(values | changes))

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
    """Serves auth_service with changed settings inside an `async with`; yields an AuthClient."""

    @asynccontextmanager
    async def serve(**changes: Any) -> AsyncIterator[AuthClient]:
        app = create_auth_app(auth_settings(**changes), clock=clock, entropy=SystemEntropy())
        async with _serving(app) as http:
            yield AuthClient(http)

    return serve


@pytest.fixture
async def auth(serving_auth: Callable[..., Any], redis: Redis) -> AsyncIterator[AuthClient]:
    """auth_service without limits, once it can publish revocations."""

    async def epoch_begun() -> bool:
        return bool(await redis.hexists("revocations:head", "epoch"))

    async with serving_auth() as client:
        await until(epoch_begun)
        yield client
