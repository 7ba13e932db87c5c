"""Replicas come and go while people are at work."""

import asyncio
import json
import re
import secrets
import subprocess
import time
from collections.abc import Iterator

import pytest
from aiohttp import ClientSession

from tests.stack.conftest import Fault
from tests.stack.load import load_on
from tests.stack.stack import CHECKOUT, PORTS, Stack

KNOWN_SECONDS = 5


@pytest.fixture
def two_again(stack: Stack) -> Iterator[None]:
    yield
    stack.up(replicas=2)


def upstreams(stack: Stack, since: float) -> set[str]:
    """The addresses that the gateway has tried from that moment on."""
    said = stack.one("gateway").logs(since=since).decode().splitlines()
    lines = [json.loads(line) for line in said if line.startswith('{"event"')]
    return {place.strip() for line in lines for place in line["upstream"].split(",")}


async def test_roll_under_load_fails_no_request(stack: Stack, faults: list[Fault]) -> None:
    before = {service: {one.id for one in stack.replicas(service)} for service in PORTS}
    async with load_on(stack.address) as load:
        await load.under_way()
        for service in PORTS:
            await asyncio.to_thread(stack.run, "deploy/roll", service)
        recovery = await load.steady(time.monotonic())
        await load.stop()
        after = {service: {one.id for one in stack.replicas(service)} for service in PORTS}
        everywhere = [place for service in PORTS for place in stack.addresses(service)]
        found = await load.outcome(everywhere)
    faults.append(Fault.of("rolling restart of both services", load, found, recovery))
    assert load.failures == []
    assert (found.lost, found.wrongly_accepted) == ([], [])
    for service in PORTS:
        assert len(after[service]) == 2
        assert not before[service] & after[service]


async def test_roll_to_a_failing_version_changes_nothing(stack: Stack) -> None:
    before = {one.id for one in stack.replicas("auth_service")}
    async with load_on(stack.address) as load:
        await load.under_way()
        ended = await asyncio.to_thread(
            subprocess.run,
            ["deploy/roll", "auth_service"],
            cwd=CHECKOUT,
            env=stack.environment | {"OTP_TTL": "9000"},
            capture_output=True,
            check=False,
        )
        await load.steady(time.monotonic())
        await load.stop()
    assert ended.returncode == 1
    assert b"OTP_TTL: Input should be less than or equal to 600" in ended.stderr
    assert b"the new auth_service did not become healthy" in ended.stderr
    assert load.failures == []
    assert {one.id for one in stack.replicas("auth_service")} == before


async def test_roll_replica_that_does_not_get_ready_receives_no_request(stack: Stack) -> None:
    before = {one.id for one in stack.replicas("auth_service")}
    async with load_on(stack.address) as load:
        await load.under_way()
        ended = await asyncio.to_thread(
            subprocess.run,
            ["deploy/roll", "auth_service"],
            cwd=CHECKOUT,
            env=stack.environment | {"REDIS_URL": "redis://auth:wrong@redis:6379/0"},
            capture_output=True,
            check=False,
        )
        await load.steady(time.monotonic())
        await load.stop()
    assert ended.returncode == 1
    assert b"WRONGPASS" in ended.stderr
    assert load.failures == []
    assert {one.id for one in stack.replicas("auth_service")} == before


@pytest.mark.parametrize("service", ["postgres", "redis", "gateway", ""])
def test_roll_of_anything_but_a_service_is_refused(stack: Stack, service: str) -> None:
    before = stack.containers()
    assert _roll(stack, service) == (2, b"roll: which service? auth_service or media_service")
    assert stack.containers() == before


def test_roll_of_a_stopped_service_is_refused() -> None:
    nothing = Stack(f"cheershare-test-{secrets.token_hex(4)}")
    assert _roll(nothing, "auth_service") == (1, b"roll: no auth_service runs in this stack")


def test_roll_replaces_stopped_replicas_too(stack: Stack) -> None:
    ended, running = stack.replicas("media_service")
    ended.stop()
    stack.run("deploy/roll", "media_service")
    [fresh] = stack.replicas("media_service")
    assert fresh.id not in {ended.id, running.id}
    assert not {ended.id, running.id} & set(stack.containers().values())


def _roll(stack: Stack, service: str) -> tuple[int, bytes]:
    """The exit code, and how the last line of what it said begins."""
    ended = subprocess.run(
        ["deploy/roll", *([service] if service else [])],
        cwd=CHECKOUT,
        env=stack.environment,
        capture_output=True,
        check=False,
    )
    said = ended.stderr.splitlines()[-1]
    return ended.returncode, re.split(rb"[:;] (?:two|docker)", said)[0]


@pytest.mark.usefixtures("two_again")
async def test_gateway_finds_new_replicas_and_drops_dead_ones(
    stack: Stack, http: ClientSession
) -> None:
    async def ask(seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            async with http.get("/v1/auth/me") as answer:
                assert answer.status == 401
            await asyncio.sleep(0.02)

    words = "up", "--detach", "--wait", "--no-deps", "--no-recreate"
    await asyncio.to_thread(stack.compose, *words, "--scale", "auth_service=3", "auth_service")
    places = {place.removeprefix("http://") for place in stack.addresses("auth_service")}
    assert len(places) == 3
    began = time.time()
    await ask(KNOWN_SECONDS)
    assert upstreams(stack, began) == places
    dead = stack.replicas("auth_service")[0]
    [gone] = places - {place.removeprefix("http://") for place in _without(stack, dead.id)}
    dead.kill()
    await ask(KNOWN_SECONDS)
    began = time.time()
    await ask(2)
    assert upstreams(stack, began) == places - {gone}


def _without(stack: Stack, container: str | None) -> list[str]:
    ids = [one.id for one in stack.replicas("auth_service")]
    places = stack.addresses("auth_service")
    return [place for one, place in zip(ids, places, strict=True) if one != container]
