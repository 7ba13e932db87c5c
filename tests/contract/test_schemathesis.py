"""Both documents, fuzzed: no 500, and every answer is one that the document has."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import ClientSession
from redis.asyncio import Redis

from auth_service.app import create_app as create_auth_app
from auth_service.delivery.console import Inbox
from auth_service.settings import AuthSettings
from deploy.local.valkey import Valkey
from media_service.app import create_app as create_media_app
from media_service.settings import MediaSettings
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.server import listening
from tests.conftest import ISSUER, REVOCATION_KEY, SECRET
from tests.contract.conftest import media_values, ready
from tests.support.accounts import PASSWORD, activate, post
from tests.support.auth_client import AuthClient
from tests.support.databases import Databases

DOCUMENTS = Path(__file__).parents[2] / "docs" / "openapi"
METHODS = {"get", "post", "put", "patch", "delete", "head"}


@dataclass
class Background:
    """Both services on a loop and a thread of their own, since a fuzzing test blocks its own."""

    addresses: dict[str, str] = field(default_factory=dict)
    auth_dsn: str = ""
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _auth: AuthClient | None = None
    _people: int = 0
    _administrator: str = ""

    def run(self, open_services: Callable[["Background", AsyncExitStack], Any]) -> Iterator[None]:
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        stack = AsyncExitStack()
        try:
            self._wait(open_services(self, stack))
            yield
        finally:
            self._wait(stack.aclose())
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    def _wait(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    def use(self, auth: AuthClient) -> None:
        self._auth = auth

    def token(self, *, administrator: bool) -> str:
        """The token of a new session: a fuzzed sign-out ends no session but its own.

        An administrator's is one for all, which no fuzzed administration can end.
        """
        if not administrator:
            return str(self._wait(self._sign_in())["access_token"])
        if not self._administrator:
            self._administrator = str(self._wait(self._appoint())["access_token"])
        return self._administrator

    async def _sign_in(self) -> Any:
        """Log the same person in again; whoever was deleted has a successor."""
        assert self._auth is not None
        person = {"email": f"person-{self._people}@example.com", "password": PASSWORD}
        again = await post(self._auth, "/login", **person)
        if again.status == HTTPStatus.OK:
            return again.body
        self._people += 1
        person["email"] = f"person-{self._people}@example.com"
        return await activate(self._auth, **person)

    async def _appoint(self) -> Any:
        assert self._auth is not None
        pair = await activate(self._auth, email="administrator@example.com", password=PASSWORD)
        connection = await asyncpg.connect(self.auth_dsn)
        change = "update users set roles = '{admin}' where id = $1"
        await connection.execute(change, pair["user"]["id"])
        await connection.close()
        return pair


def unlimited(auth_dsn: str, redis_url: str, keys_folder: Path) -> AuthSettings:
    """Settings under which no request is one too many, and none takes long."""
    values: dict[str, Any] = {
        "env": "development",
        "public_url": ISSUER,
        "auth_database_url": auth_dsn,
        "redis_url": redis_url,
        "jwt_private_keys_dir": keys_folder,
        "secret_keys": SECRET,
        "revocation_key": REVOCATION_KEY,
        "otp_cooldown": 0,
        "argon2_memory_kib": 64,
        "argon2_time": 1,
        **{name: "" for name in AuthSettings.model_fields if name.startswith("limit_")},
    }
    return AuthSettings(**values)


@pytest.fixture(scope="module")
def background(
    valkey: Valkey,
    databases: Databases,
    keys_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Background]:
    folder = tmp_path_factory.mktemp("fuzzed")

    async def open_services(background: Background, stack: AsyncExitStack) -> None:
        async with Redis.from_url(valkey.url()) as redis:
            await redis.flushall()  # of what the worker's other tests left
        background.auth_dsn = await stack.enter_async_context(databases.acquire("auth"))
        media_dsn = await stack.enter_async_context(databases.acquire("media"))
        auth = unlimited(background.auth_dsn, valkey.url(), keys_folder)
        media = MediaSettings(**media_values(media_dsn, valkey.url(), keys_folder, folder))
        clock, entropy = SystemClock(), SystemEntropy()
        apps = {
            "auth": create_auth_app(auth, clock=clock, entropy=entropy),
            "media": create_media_app(media, clock=clock, entropy=entropy),
        }
        for name, app in apps.items():
            address = await stack.enter_async_context(listening(app, "127.0.0.1", 0))
            client = await stack.enter_async_context(ClientSession(address))
            await ready(client)
            background.addresses[name] = address
            if name == "auth":
                background.use(AuthClient(client))

    made = Background()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Inbox, "wait_for_recent", lambda inbox, to, _seconds: inbox.read(to))
        for _ in made.run(open_services):
            yield made


def headers(case: Any, background: Background) -> dict[str, str]:
    """A token where the document asks for one, or where the route takes one."""
    guarded = case.operation.definition.raw.get("security") or case.path.endswith("/logout")
    administrator = "/admin/" in case.path
    token = background.token(administrator=administrator) if guarded else ""
    return {"Authorization": f"Bearer {token}"} if guarded else {}


def operations() -> list[tuple[str, str, str]]:
    """Service, path and method of everything that is documented."""
    found = []
    for service in ("auth", "media"):
        document = json.loads((DOCUMENTS / f"{service}.json").read_text())
        for path, item in document["paths"].items():
            found += [(service, path, method) for method in sorted(METHODS & item.keys())]
    return found


@pytest.mark.long
@pytest.mark.parametrize(("service", "path", "method"), operations())
def test_service_fuzzed_answers_as_documented(
    background: Background, service: str, path: str, method: str
) -> None:
    from tests.contract.operation_fuzzer import fuzz_operation  # noqa: PLC0415 - slow to import

    fuzz_operation(
        DOCUMENTS / f"{service}.json",
        path,
        method,
        address=background.addresses[service],
        headers=lambda case: headers(case, background),
    )
