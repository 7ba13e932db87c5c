"""What breaks under load: nothing that was acknowledged is lost, nothing is accepted wrongly."""

import asyncio
import time
from collections.abc import Callable

import pytest
from aiohttp import ClientSession

from tests.stack.conftest import Fault
from tests.stack.load import load_on
from tests.stack.stack import PORTS, Stack
from tests.support.auth_client import AuthClient

MOST_SECONDS = 15
"""More is a person's business. How long it takes on a quiet machine, under 5 s, is in the table.

What was asked just before the end of a fault may take as long as a statement, 5 s, to be given up.
"""
Break = Callable[[Stack], float]
"""Breaks something, mends it, and returns the moment from which on all should be well."""


def crash(service: str) -> Break:
    def run(stack: Stack) -> float:
        return stack.crash(stack.one(service))

    return run


def pause(service: str, seconds: float) -> Break:
    def run(stack: Stack) -> float:
        container = stack.one(service)
        container.pause()
        try:
            time.sleep(seconds)
        finally:
            container.unpause()
        return time.monotonic()

    return run


def restart(service: str) -> Break:
    def run(stack: Stack) -> float:
        stack.one(service).restart()
        return time.monotonic()

    return run


def cut_off(service: str, seconds: float) -> Break:
    def run(stack: Stack) -> float:
        container = stack.one(service)
        network = stack.engine.networks.list(names=[stack.network("data")])[0]
        network.disconnect(container)
        try:
            time.sleep(seconds)
        finally:
            network.connect(container, aliases=[service])
        return time.monotonic()

    return run


def wipe_redis(stack: Stack) -> float:
    redis = stack.one("redis")
    code, said = redis.exec_run(["sh", "-c", "rm -rf /data/*"])
    assert code == 0, said
    stack.crash(redis)
    return time.monotonic()


FAULTS: dict[str, Break] = {
    "auth_service: SIGKILL of a replica": crash("auth_service"),
    "auth_service: a replica paused 5 s": pause("auth_service", 5),
    "auth_service: a replica cut off 5 s": cut_off("auth_service", 5),
    "media_service: SIGKILL of a replica": crash("media_service"),
    "media_service: a replica cut off 5 s": cut_off("media_service", 5),
    "gateway: SIGKILL": crash("gateway"),
    "redis: SIGKILL": crash("redis"),
    "redis: restarted": restart("redis"),
    "redis: paused 30 s": pause("redis", 30),
    "redis: wiped": wipe_redis,
    "postgres: SIGKILL": crash("postgres"),
    "postgres: restarted": restart("postgres"),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_faults_lose_no_acknowledged_write(
    stack: Stack, faults: list[Fault], name: str
) -> None:
    async with load_on(stack.address) as load:
        await load.under_way()
        ended = await asyncio.to_thread(FAULTS[name], stack)
        recovery = await load.steady(ended)
        await load.stop()
        await asyncio.to_thread(stack.until_healthy)
        everywhere = [place for service in PORTS for place in stack.addresses(service)]
        found = await load.outcome(everywhere)
        faults.append(Fault.of(name, load, found, recovery))
        assert found.lost == []
        assert found.wrongly_accepted == []
        assert [what for what in load.failures if ": 500 " in what] == []
        if name.endswith("SIGKILL of a replica"):  # what may be repeated is, at the other one
            assert [what for what in load.failures if what.startswith("GET ")] == []
        if name != "redis: wiped":
            assert load.codes_awaited_in_vain == 0
        assert recovery < MOST_SECONDS, load.failures[-3:]


@pytest.mark.parametrize(
    ("fault", "person"),
    [("redis: SIGKILL", "+919812345678"), ("redis: restarted", "+919812345679")],
)
async def test_code_survives_a_redis_restart(
    stack: Stack, http: ClientSession, fault: str, person: str
) -> None:
    """Scripts write several keys at once, which Redis reads again as transactions."""
    auth = AuthClient(http)
    sent = await auth.request_code(person)
    code = await auth.code(person)
    await asyncio.to_thread(FAULTS[fault], stack)
    await asyncio.to_thread(stack.until_healthy)
    entered = await auth.enter_code(person, code, sent.body["challenge"])
    assert entered.status == 201
    assert b"NOPERM" not in stack.one("redis").logs()
