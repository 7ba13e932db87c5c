"""Every route waits for a hash in its client's own line, and the wait tells no account."""

import asyncio
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

import pytest

from auth_service.minimum_duration import DEFAULT_SECONDS
from auth_service.password import hasher as hashing
from auth_service.password.hasher import Decoy
from shared.networks import network_of
from tests.support.accounts import PASSWORD, activate, next_code, post
from tests.support.auth_client import Answer, AuthClient
from tests.support.blocked_hashes import (
    ASHA,
    EMAIL,
    MANY_CLIENTS,
    OWNER,
    BlockedHashes,
    Open,
    login,
)
from tests.support.waiting import until

ROUTES = ("register", "login", "rehash", "reset", "change", "step-up")


@pytest.mark.parametrize("route", ROUTES)
async def test_hash_queue_every_use_waits_in_its_clients_line(
    serving_auth: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, route: str
) -> None:
    lines: list[IPv4Network | IPv6Network] = []
    run = hashing.Hasher._run

    async def noted(self: hashing.Hasher, network: hashing.Network, *more: Any) -> Any:
        lines.append(network)
        return await run(self, network, *more)

    async with serving_auth(trusted_proxies="127.0.0.1") as auth:
        pair = await activate(auth, **ASHA)
    changes = {"argon2_time": 2} if route == "rehash" else {}
    async with serving_auth(trusted_proxies="127.0.0.1", **changes) as auth:
        monkeypatch.setattr(hashing.Hasher, "_run", noted)
        answer = await _use(auth, route, pair["access_token"])
    assert answer.status in {200, 201, 204}, answer.body
    assert set(lines) == {IPv4Network("203.0.113.0/24")}
    assert len(lines) == {"rehash": 2, "change": 2}.get(route, 1)


async def _use(auth: AuthClient, route: str, token: str) -> Answer:
    fresh = {"new_password": "battery staple horse"}
    if route == "register":
        return await post(
            auth, "/register", address=OWNER, email="ravi@example.com", password=PASSWORD
        )
    if route in {"login", "rehash"}:
        return await login(auth, PASSWORD, OWNER)
    if route == "reset":
        _, code = await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
        return await post(auth, "/reset-password", address=OWNER, email=EMAIL, otp=code, **fresh)
    path, body = "/step-up", {"password": PASSWORD}
    if route == "change":
        path, body = "/change-password", {"current_password": PASSWORD, **fresh}
    headers = {"X-Forwarded-For": OWNER}
    return await auth.call("POST", path, token=token, json=body, headers=headers)


@pytest.mark.parametrize("name", [EMAIL, "nobody@example.com"])
async def test_login_after_a_wait_takes_the_floor_from_its_turn_on(
    serving_auth: Callable[..., Any], threads: BlockedHashes, name: str
) -> None:
    """A wait that uses up the floor would show how long the hash takes, which tells an account."""
    loop = asyncio.get_running_loop()
    async with serving_auth(**MANY_CLIENTS) as auth:
        await activate(auth, **ASHA)
        first = asyncio.create_task(login(auth, "guess", "10.0.1.1"))
        await until(lambda: threads.tried)
        body = {"email": name, "password": "another guess"}
        second = asyncio.create_task(post(auth, "/login", address="10.0.1.1", **body))
        await asyncio.sleep(DEFAULT_SECONDS * 1.5)
        assert not second.done()
        began = loop.time()
        threads.go.set()
        assert (await second).status == 401
        assert loop.time() - began >= DEFAULT_SECONDS * 0.9
        await first


async def test_hash_queue_cheaper_hash_occupies_its_thread_as_long_as_a_decoy(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the next try in the queue would show that the name before it has an older hash."""
    seconds, loop = 0.2, asyncio.get_running_loop()
    async with opened() as hasher:
        cheap = await hasher.hash(PASSWORD, network_of(ip_address(OWNER)))
        monkeypatch.setattr(hasher, "_decoy", Decoy(hasher._decoy.hash, seconds))
        began, turns = loop.time(), list[float]()
        tries = [
            hasher.verify(
                "guess",
                cheap,
                network_of(ip_address(OWNER)),
                after_wait=lambda: turns.append(loop.time()),
            )
            for _ in range(2)
        ]
        await asyncio.gather(*tries)
    [second] = turns
    assert second - began >= seconds * 0.9
