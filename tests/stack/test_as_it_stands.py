"""A stack that was told nothing: the README's lines as a stranger pastes them, then production."""

import secrets
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.stack.stack import CHECKOUT, PORTS, Stack
from tests.stack.test_journey import number
from tests.support.auth_client import AuthClient
from tests.support.readme_block import assert_readme_answers, paste_readme_block

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


def test_readme_block_pasted_whole_does_the_job(stack: Stack, tmp_path: Path) -> None:
    assert_readme_answers(paste_readme_block(stack.address, tmp_path))


def test_up_repeated_replaces_no_container(stack: Stack) -> None:
    before = stack.containers()
    stack.up(replicas=2)
    after = stack.containers()
    assert before.items() <= after.items()
    assert len(after) == len(before) + len(PORTS)


@pytest.mark.parametrize("service", ["auth_service", "media_service"])
def test_production_with_plain_http_url_does_not_start(stack: Stack, service: str) -> None:
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


async def test_production_by_the_documented_steps_conceals_accounts(stack: Stack) -> None:
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
