"""Receivers of webhooks: the guide's programs, and the official libraries of PyPI and npm.

Each is a process of its own that answers 204 to a genuine webhook and 400 to all else.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientConnectionError, ClientSession

from shared.entropy import SystemEntropy
from shared.webhooks.model import WebhookMessage
from shared.webhooks.signature import new_secret, sign
from tests.local.processes import CHECKOUT
from tests.support.auth_client import AuthClient
from tests.support.media_client import FORM, day, picture_form
from tests.support.ports import own_port
from tests.support.waiting import until

FOLDER = Path(__file__).parent / "receivers"
GUIDE = CHECKOUT / "docs" / "webhooks.md"
TOOLS = {"javascript": "node", "go": "go", "npm": "npm"}
RECEIVERS = ("python", "javascript", "go", "PyPI", "npm")
BODY = '{"type":"webhook.test","timestamp":"2026-12-24T00:00:00Z","data":{"name":"आशा"}}'.encode()


def documented(language: str) -> str:
    """The guide's program in a language, as it stands there."""
    [code] = re.findall(rf"```{language}\n(.+?)```", GUIDE.read_text(), re.DOTALL)
    return str(code)


def build(name: str, folder: Path) -> list[str]:
    """Make a receiver in `folder`, and return the command that runs it."""
    match name:
        case "python":
            return [sys.executable, "-c", documented("python")]
        case "javascript":
            program = folder / "receiver.mjs"
            program.write_text(documented("javascript"))
            return ["node", f"{program}"]
        case "go":
            (folder / "main.go").write_text(documented("go"))
            run(["go", "build", "-o", "receiver", "main.go"], folder)
            return [f"{folder / 'receiver'}"]
        case "PyPI":
            return [sys.executable, f"{FOLDER / 'library.py'}"]
        case _:
            shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
            run(["sh", "build"], folder)
            return ["node", f"{folder / 'library.mjs'}"]


def run(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module", params=RECEIVERS)
def command(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    tool = TOOLS.get(request.param)
    # These languages are no need of this project's users. CI has all, so there none is left out.
    if tool and not shutil.which(tool) and "CI" not in os.environ:
        pytest.skip(f"not installed: {tool}")
    return build(request.param, tmp_path_factory.mktemp("receiver"))


@contextmanager
def receiving(command: list[str], port: int, secret: str) -> Iterator[None]:
    environment = {**os.environ, "PORT": f"{port}", "WEBHOOK_SECRET": secret}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait(10)


async def post(http: ClientSession, port: int, body: bytes, headers: dict[str, str]) -> int:
    async with http.post(f"http://127.0.0.1:{port}/", data=body, headers=headers) as response:
        return response.status


async def wait_until_it_listens(http: ClientSession, port: int) -> None:
    async def listens() -> bool:
        try:
            return await post(http, port, b"{}", {}) == 400
        except ClientConnectionError:
            return False

    await until(listens, seconds=30)


async def test_receiver_accepts_genuine_webhooks_alone(command: list[str]) -> None:
    secret, other = new_secret(SystemEntropy()), new_secret(SystemEntropy())
    now, port = datetime.now(UTC), own_port()
    message = WebhookMessage("msg_1", BODY)
    genuine = sign(message, [secret], now)
    stamp = genuine["webhook-timestamp"]
    old, early = (sign(message, [secret], now + timedelta(minutes=one)) for one in (-6, 6))
    accepted = [genuine, sign(message, [other, secret], now), sign(message, [secret, other], now)]
    refused = [
        sign(message, [other], now),
        old,
        early,
        genuine | {"webhook-id": "msg_2"},
        genuine | {"webhook-timestamp": f"{int(stamp) + 1}"},
        genuine | {"webhook-timestamp": "9" * 5000},
        genuine | {"webhook-timestamp": "٣"},
        genuine | {"webhook-signature": genuine["webhook-signature"].replace("v1,", "v1a,")},
        genuine | {"webhook-signature": genuine["webhook-signature"][:-2]},
        genuine | {"webhook-signature": "v1,"},
        genuine | {"webhook-signature": "ä"},
        {name: text for name, text in genuine.items() if name != "webhook-signature"},
        {},
    ]
    async with ClientSession() as http:
        with receiving(command, port, secret):
            await wait_until_it_listens(http, port)
            for headers in accepted:
                assert await post(http, port, BODY, headers) == 204
            for headers in refused:
                assert await post(http, port, BODY, headers) == 400, headers
            assert await post(http, port, BODY + b" ", genuine) == 400
            assert await post(http, port, BODY, genuine) == 204  # it still runs


@asynccontextmanager
async def new_user(address: str) -> AsyncIterator[ClientSession]:
    """A session with a user's token, below media_service's routes."""
    async with ClientSession(address) as http:
        number = f"+9198{int.from_bytes(os.urandom(4)) % 10**8:08}"
        pair = await AuthClient(http).sign_in(number)
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    async with ClientSession(f"{address}/v1/media/", headers=headers) as http:
        yield http


async def call(http: ClientSession, method: str, path: str, **options: Any) -> Any:
    async with http.request(method, path, **options) as response:
        assert response.ok, await response.text()
        return await response.json()


async def test_receiver_accepts_every_webhook_of_the_stack(
    command: list[str], address: str
) -> None:
    port = own_port()
    async with new_user(address) as http, ClientSession() as plain:
        body = {"url": f"http://127.0.0.1:{port}/", "events": ["*"]}
        webhook = await call(http, "POST", "webhooks", json=body)
        path = f"webhooks/{webhook['id']}"
        with receiving(command, port, webhook["secret"]):
            await wait_until_it_listens(plain, port)
            await call(http, "POST", f"{path}/test")
            _, creative = [
                await call(http, "POST", "creatives", data=picture_form(when=when), headers=FORM)
                for when in ("now", day())
            ]
            title = {"json": {"title": "आशा"}, "headers": {"If-Match": "*"}}
            await call(http, "PATCH", f"creatives/{creative['id']}", **title)
            await call(http, "POST", f"{path}/rotate-secret")
            await call(http, "POST", f"{path}/test")
            creatives = ["creative.created"] * 2 + ["creative.due", "creative.updated"]
            await wait_for_deliveries(http, path, [*creatives, "webhook.test", "webhook.test"])


async def wait_for_deliveries(http: ClientSession, path: str, types: list[str]) -> None:
    """Wait until exactly these were delivered; each attempt has to be accepted."""

    async def delivered() -> bool:
        found = await call(http, "GET", f"{path}/deliveries")
        assert {a["status_code"] for one in found["items"] for a in one["attempts"]} <= {204}
        done = [one["type"] for one in found["items"] if one["status"] == "delivered"]
        return sorted(done) == types

    await until(delivered, seconds=15)
