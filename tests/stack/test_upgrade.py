"""A stack with every default through its procedures: roll, reload, replace; what they interrupt."""

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from io import BytesIO
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession
from docker.models.containers import Container

from tests.stack.load import TIMEOUT
from tests.stack.stack import Stack
from tests.stack.test_journey import number
from tests.support.auth_client import AuthClient
from tests.support.media_client import FORM, picture_form
from tests.support.pictures import grain

UPLOADS, PIXELS, PIECES, PAUSE_SECONDS = 5, 400, 40, 0.5
LOOK_AGAIN_SECONDS, SETTLED_SECONDS = 0.1, 5
MOST_SECONDS = 120
"""A bound for a loaded machine. What the run prints is what docs/operations/upgrade.md says."""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A stack of its own, with every default."""
    made = Stack(f"cheershare-test-{secrets.token_hex(4)}", {})
    try:
        made.compose("build", "--quiet")
        made.up()
        yield made
    finally:
        made.down()


@pytest.fixture
async def token(stack: Stack) -> str:
    async with ClientSession(stack.address, timeout=TIMEOUT) as http:
        return str((await AuthClient(http).sign_in(number()))["access_token"])


async def slow_upload(address: str, token: str) -> int:
    """Upload a picture within 20 s; return the status."""
    whole = picture_form(grain(PIXELS))  # fast enough for the minimum rate
    size = len(whole) // PIECES + 1

    async def body() -> AsyncIterator[bytes]:
        for place in range(0, len(whole), size):
            yield whole[place : place + size]
            await asyncio.sleep(PAUSE_SECONDS)

    headers = {"Authorization": f"Bearer {token}", **FORM}
    async with (
        ClientSession(address) as http,
        http.post("/v1/media/creatives", data=body(), headers=headers) as answer,
    ):
        return answer.status


async def during_uploads(stack: Stack, token: str, *command: str) -> list[int]:
    """Run the command two seconds after slow uploads began; return what they were answered."""
    async with asyncio.TaskGroup() as group:
        uploads = [group.create_task(slow_upload(stack.address, token)) for _ in range(UPLOADS)]
        await asyncio.sleep(2)
        await asyncio.to_thread(stack.run, *command)
    return [upload.result() for upload in uploads]


async def test_roll_slow_uploads_are_kept(stack: Stack, token: str) -> None:
    before = stack.one("media_service").id
    assert await during_uploads(stack, token, "deploy/roll", "media_service") == [201] * UPLOADS
    assert stack.one("media_service").id != before


async def test_reload_changed_setting_counts_and_uploads_are_kept(stack: Stack, token: str) -> None:
    before = stack.containers()
    stack.settings["GATEWAY_BODY_LIMIT"] = "1k"
    try:
        assert await during_uploads(stack, token, "deploy/reload") == [201] * UPLOADS
        async with ClientSession(stack.address) as http:
            async with http.post("/v1/media/creatives", data=bytes(2000)) as answer:
                assert answer.status == 413
            async with http.get("/console") as page:
                assert page.status == 200
    finally:
        del stack.settings["GATEWAY_BODY_LIMIT"]
        stack.run("deploy/reload")
    assert stack.containers() == before


def test_reload_wrong_setting_changes_nothing(stack: Stack) -> None:
    before = stack.execute(stack.one("gateway"), "readlink", "/tmp/gateway")  # noqa: S108
    stack.settings["GATEWAY_RATE"] = "abc"
    try:
        with pytest.raises(AssertionError, match="settings: GATEWAY_RATE: expected"):
            stack.run("deploy/reload")
    finally:
        del stack.settings["GATEWAY_RATE"]
    assert stack.execute(stack.one("gateway"), "readlink", "/tmp/gateway") == before  # noqa: S108


@pytest.mark.parametrize("words", [("--no-deps", "gateway"), ()], ids=["gateway", "all"])
def test_up_after_roll_replaces_nothing(stack: Stack, words: tuple[str, ...]) -> None:
    before = stack.containers()
    stack.compose("up", "--detach", "--wait", *words)
    assert stack.containers() == before


async def test_stop_gateway_finishes_slow_uploads(stack: Stack, token: str) -> None:
    statuses = await during_uploads(stack, token, "docker", "compose", "restart", "gateway")
    assert statuses == [201] * UPLOADS


def test_stop_services_without_their_servers_end_at_once(stack: Stack, figures: list[str]) -> None:
    """The names of servers that are gone are looked up again and again, each time in vain."""
    services = [stack.one(name) for name in ("auth_service", "media_service")]
    stack.compose("stop", "postgres", "redis")
    time.sleep(10)
    stack.compose("stop", *(name for name in ("auth_service", "media_service")))
    try:
        for one in services:
            late = _end_after_last_word(one)
            figures.append(f"{one.name} ended {late:.1f} s after `service.stopped`")
            assert late < 2
    finally:
        stack.up()


def _end_after_last_word(container: Container) -> float:
    container.reload()
    said = container.logs(timestamps=True).decode().splitlines()
    [*_, last] = [line for line in said if "service.stopped" in line]
    state: dict[str, Any] = container.attrs["State"]
    assert state["ExitCode"] == 0
    return _seconds(state["FinishedAt"]) - _seconds(last.split()[0])


def _seconds(moment: str) -> float:
    """Of a time with nanoseconds, as Docker writes it."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d*Z$", r"\1+00:00", moment)).timestamp()


@asynccontextmanager
async def watched(stack: Stack) -> AsyncIterator[dict[str, float]]:
    """Ask both services all the while; keeps for how long at most each gave no good answer."""
    away = {"/v1/auth/me": 0.0, "/v1/media/creatives": 0.0}

    good = dict.fromkeys(away, time.monotonic())

    def note(path: str) -> None:
        away[path] = max(away[path], time.monotonic() - good[path])

    async def watch(path: str) -> None:
        while True:
            if await _answers(stack.address + path):
                note(path)
                good[path] = time.monotonic()
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    watching = [asyncio.create_task(watch(path)) for path in away]
    try:
        yield away
        await asyncio.sleep(SETTLED_SECONDS)
        for path in away:
            note(path)
            assert time.monotonic() - good[path] < SETTLED_SECONDS, f"{path} is still away"
    finally:
        bugs = [task.exception() for task in watching if task.done()]
        for task in watching:
            task.cancel()
    assert bugs == []


async def _answers(url: str) -> bool:
    """Return whether a request without a token is told so, within two seconds."""
    try:
        async with ClientSession() as http, asyncio.timeout(2), http.get(url) as answer:
            return answer.status == 401
    except (ClientError, OSError, TimeoutError):
        return False


async def test_up_replaced_gateway_interrupts_for_as_long_as_it_says(
    stack: Stack, figures: list[str]
) -> None:
    before = stack.one("gateway").id
    words = "up", "--detach", "--no-deps", "--force-recreate", "--wait", "gateway"
    async with watched(stack) as away:
        await asyncio.to_thread(stack.compose, *words)
    assert stack.one("gateway").id != before
    figures.append(f"a replaced gateway interrupted for {max(away.values()):.1f} s")
    assert max(away.values()) < MOST_SECONDS


async def test_up_after_upgrade_interrupts_for_as_long_as_it_says(
    stack: Stack, figures: list[str]
) -> None:
    """The last test here: every container is replaced."""
    before = stack.containers()
    for name in ("auth_service", "media_service", "gateway"):
        newer = f"FROM {stack.image(name)}\nLABEL upgrade=1\n".encode()
        stack.engine.images.build(fileobj=BytesIO(newer), tag=stack.image(name), rm=True)
    async with watched(stack) as away:
        took = await asyncio.to_thread(stack.up)
    figures.append(
        f"`docker compose up --wait` after an upgrade took {took:.0f} s and interrupted "
        + ", ".join(f"{path} for {seconds:.0f} s" for path, seconds in sorted(away.items()))
    )
    kept = {name for name, container in stack.containers().items() if before.get(name) == container}
    assert kept == set()
    assert max(away.values()) < MOST_SECONDS
