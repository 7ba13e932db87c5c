"""A stack that was told nothing: the README's lines as a stranger pastes them, then production."""

import json
import re
import secrets
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.stack.stack import CHECKOUT, PORTS, Stack
from tests.stack.test_journey import number
from tests.support.auth_client import AuthClient
from tests.support.pictures import encode

PRODUCTION = {
    "COMPOSE_FILE": "docker-compose.yml:deploy/production.yml",
    "PUBLIC_URL": "https://id.example",
    "SMS_COUNTRIES": "IN",
    "SMS_PROVIDERS": "webhook",
    "SMS_WEBHOOK_URL": "https://127.0.0.1:9",  # where nobody is
    "SMS_WEBHOOK_SECRET": f"whsec_{b64encode(secrets.token_bytes(32)).decode()}",
}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A stack of its own, with every default."""
    made = Stack(f"cheershare-test-{secrets.token_hex(4)}", {})
    try:
        made.up()
        yield made
    finally:
        made.down()


def commands() -> list[str]:
    """What the README's block of curl lines has, a command each, without its remarks."""
    blocks = re.findall(r"```sh\n(.*?)```", (CHECKOUT / "README.md").read_text(), re.DOTALL)
    [block] = [block for block in blocks if "curl" in block]
    lines = block.replace("\\\n", " ").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


class Terminal:
    """Runs commands one by one; what one assigns, those after it see."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._assigned: list[str] = []

    def enter(self, command: str) -> Any:
        """Return the answer of a curl line, parsed; None when it is empty."""
        if not command.startswith("curl"):
            self._assigned.append(command)
            return None
        whole = "\n".join([*self._assigned, command])
        said = subprocess.run(
            ["bash", "-euc", whole], cwd=self._folder, capture_output=True, check=True
        )
        return json.loads(said.stdout) if said.stdout else None


def test_the_curl_lines_work_as_printed(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(encode())
    terminal = Terminal(tmp_path)
    api, json_header, ask, inbox, enter, token, *rest = commands()
    assert api.startswith("api=http://localhost:8000/")
    terminal.enter(api.replace("http://localhost:8000", stack.address))
    terminal.enter(json_header)
    assert terminal.enter(ask)["channel"] == "sms"
    stack.until(lambda: bool(terminal.enter(inbox)["items"]), "no code came", 10)
    code = terminal.enter(inbox)["items"][0]["text"][:6]
    assert "THE CODE" in enter
    pair = terminal.enter(enter.replace("THE CODE", code))
    terminal.enter(token.replace("THE ACCESS TOKEN", pair["access_token"]))
    upload, scheduled, offer, sign_out, refused = rest
    kept = terminal.enter(upload)
    [today] = terminal.enter(scheduled)["scheduled_creatives"]["today"]
    assert today["id"] == kept["id"]
    assert terminal.enter(offer)["price"] == 49_900
    assert terminal.enter(sign_out) is None
    assert refused == scheduled
    stack.until(lambda: terminal.enter(refused).get("code") == "token_revoked", "it counts", 3)


def test_a_later_up_replaces_nothing(stack: Stack) -> None:
    before = stack.containers()
    stack.up(replicas=2)
    after = stack.containers()
    assert before.items() <= after.items()
    assert len(after) == len(before) + len(PORTS)


@pytest.mark.parametrize("service", ["auth_service", "media_service"])
def test_production_does_not_start_half_told(stack: Stack, service: str) -> None:
    told = stack.environment | PRODUCTION | {"PUBLIC_URL": "http://id.example"}
    ended = subprocess.run(
        ["docker", "compose", "run", "--rm", "-T", "--no-deps", service],
        cwd=CHECKOUT,
        env=told,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode != 0
    assert b"PUBLIC_URL: expected https://host[:port]" in ended.stderr


async def test_into_production_as_operations_say(stack: Stack) -> None:
    """The last test here: the stack is another one afterwards."""
    stack.settings |= PRODUCTION
    stack.up()
    async with ClientSession(stack.address) as http:
        auth = AuthClient(http)
        person = number()
        asked = await auth.call("POST", "/login", json={"mobile": person})
        assert (asked.status, set(asked.body) & {"user_id"}) == (202, set())  # it conceals
        async with http.get("/v1/auth/dev/inbox", params={"to": person}) as inbox:
            assert inbox.status == 404
        async with http.get("/") as page:
            assert "https://id.example" in await page.text()
