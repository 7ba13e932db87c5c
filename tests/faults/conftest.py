"""Servers that a test may freeze, kill and wipe."""

import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis

from auth_service.settings import AuthSettings
from auth_service.signing.keystore import KeyStore, to_jwks
from deploy.local.postgres import Postgres
from deploy.local.valkey import Valkey
from deploy.redis_acl import AUTH_ACL, MEDIA_ACL, acl_hash
from tests.conftest import AUDIENCE, ISSUER, MEDIA_SECRET, REVOCATION_KEY, SECRET
from tests.faults.stack import BreakableStack, send_signal
from tests.support.databases import Databases
from tests.support.lossy_proxy import LossyProxy, open_lossy_proxy
from tests.support.passkey_client import ORIGIN
from tests.support.ports import own_port
from tests.support.tokens import Mint

PASSWORD = "of-the-harness"
NUMBERS = count()


@pytest.fixture(scope="session")
def own_postgres(data_folder: Path) -> Iterator[Postgres]:
    """On one port, however often it is killed."""
    folder = data_folder / "faults-postgres"
    server = Postgres(folder, port=own_port(), durable=False, password="harness").start()
    yield server
    server.delete_data()


@pytest.fixture(scope="session")
def own_databases(own_postgres: Postgres) -> Iterator[Databases]:
    with Databases(own_postgres).lending() as lender:
        yield lender


@pytest.fixture
def own_valkey(data_folder: Path) -> Iterator[Valkey]:
    """Empty, on one port, with an append-only file and the users of the real thing."""
    users = {"auth": AUTH_ACL, "media": MEDIA_ACL, "harness": "~* &* +@all"}
    lines = [f"{name} on {acl_hash(PASSWORD)} {rights}" for name, rights in users.items()]
    folder = data_folder / f"faults-valkey-{next(NUMBERS)}"
    server = Valkey(folder, port=own_port(), acl=lines).start()
    yield server
    if server.child_pid is not None:
        send_signal(server, signal.SIGCONT)
    server.delete_data()


@pytest.fixture
async def proxies(own_valkey: Valkey) -> AsyncIterator[dict[str, LossyProxy]]:
    """A proxy to Redis for each service."""
    async with (
        open_lossy_proxy(own_valkey.port) as auth,
        open_lossy_proxy(own_valkey.port) as media,
    ):
        yield {"auth": auth, "media": media}


@pytest.fixture
async def dsns(own_postgres: Postgres, own_databases: Databases) -> AsyncIterator[dict[str, str]]:
    """Where each service's empty database is."""
    acquire = own_databases.acquire
    async with acquire("auth") as auth, acquire("media") as media:
        yield {"auth": auth, "media": media}
        own_postgres.start()  # a test may have left it dead


@pytest.fixture
def values(
    own_valkey: Valkey,
    proxies: dict[str, LossyProxy],
    dsns: dict[str, str],
    keys_folder: Path,
    tmp_path: Path,
) -> dict[str, dict[str, Any]]:
    """Each service's settings."""
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps(to_jwks(KeyStore(keys_folder).load())))
    common: dict[str, Any] = {
        "env": "development",
        "public_url": ISSUER,
        "revocation_key": REVOCATION_KEY,
    }
    auth = {
        "auth_database_url": dsns["auth"],
        "redis_url": _through(own_valkey, "auth", proxies["auth"]),
        "jwt_private_keys_dir": keys_folder,
        "secret_keys": SECRET,
        "otp_cooldown": 0,
        "webauthn_rp_id": "localhost",
        "webauthn_origins": ORIGIN,
        **{name: "" for name in AuthSettings.model_fields if name.startswith("limit_")},
    }
    media = {
        "media_database_url": dsns["media"],
        "redis_url": _through(own_valkey, "media", proxies["media"]),
        "jwks_file": jwks,
        "media_secret_keys": MEDIA_SECRET,
        "storage_url": (tmp_path / "files").as_uri(),
        "image_workers": 1,
        "limit_changes_per_user": "",
    }
    return {"auth": common | auth, "media": common | media}


@pytest.fixture
async def stack(
    own_valkey: Valkey,
    own_postgres: Postgres,
    proxies: dict[str, LossyProxy],
    values: dict[str, dict[str, Any]],
    keys_folder: Path,
) -> AsyncIterator[BreakableStack]:
    redis = Redis.from_url(own_valkey.url("harness", PASSWORD))
    key = KeyStore(keys_folder).load()[0]
    mint = Mint(key.private, ISSUER, AUDIENCE, key.kid)
    yield BreakableStack(own_valkey, own_postgres, redis, proxies, values, mint)
    with suppress(Exception):  # it may be dead
        await redis.aclose()


def _through(valkey: Valkey, user: str, proxy: LossyProxy) -> str:
    url = urlsplit(valkey.url(user, PASSWORD))
    login = url.netloc.rpartition("@")[0]
    return url._replace(netloc=f"{login}@127.0.0.1:{proxy.port}").geturl()
