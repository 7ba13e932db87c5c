"""Both services beside each other, as they run: one signs, the other reads its public keys."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from auth_service.signing.keystore import KeyStore, to_jwks
from deploy.local.valkey import Valkey
from media_service.app import create_app
from media_service.settings import MediaSettings
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from tests.conftest import ISSUER, MEDIA_SECRET, REVOCATION_KEY
from tests.support.auth_client import Answer, AuthClient, read
from tests.support.waiting import until


@dataclass(frozen=True)
class Services:
    """A client of each service, by its prefix."""

    clients: dict[str, ClientSession]

    @property
    def auth(self) -> AuthClient:
        return AuthClient(self.clients["/v1/auth"])

    async def call(
        self, prefix: str, method: str, path: str, token: str | None = None, **options: Any
    ) -> Answer:
        headers = {**options.pop("headers", {})}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        client = self.clients[prefix]
        async with client.request(method, prefix + path, headers=headers, **options) as answer:
            return await read(answer)


def media_values(dsn: str, redis_url: str, keys: Path, folder: Path) -> dict[str, Any]:
    """media_service's settings, for the keys of a directory."""
    jwks = folder / "jwks.json"
    jwks.write_text(json.dumps(to_jwks(KeyStore(keys).load())))
    return {
        "env": "development",
        "public_url": ISSUER,
        "media_database_url": dsn,
        "redis_url": redis_url,
        "jwks_file": jwks,
        "storage_url": (folder / "files").as_uri(),
        "image_workers": 1,
        "revocation_key": REVOCATION_KEY,
        "media_secret_keys": MEDIA_SECRET,
        "limit_changes_per_user": "",
    }


async def ready(client: ClientSession) -> None:
    async def holds() -> bool:
        async with client.get("/readyz") as answer:
            return answer.status == 200

    await until(holds, seconds=20)


@pytest.fixture
def media_app(media_dsn: str, valkey: Valkey, keys_folder: Path, tmp_path: Path) -> web.Application:
    values = MediaSettings(**media_values(media_dsn, valkey.url(), keys_folder, tmp_path))
    return create_app(values, clock=SystemClock(), entropy=SystemEntropy())


@pytest.fixture
async def services(
    auth: AuthClient, media_app: web.Application, serving: Callable[[web.Application], Any]
) -> AsyncIterator[Services]:
    async with serving(media_app) as media:
        await ready(media)
        yield Services({"/v1/auth": auth.http, "/v1/media": media})
