"""Whose sign-in is announced: a device that the account does not know."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from shared.errors import ServiceUnavailable
from tests.support.accounts import PASSWORD, activate, next_code
from tests.support.auth_client import AuthClient

EMAIL = "asha.rao@example.com"
HOME, NEAR, AWAY = "198.51.100.1", "198.51.100.200", "203.0.113.7"
CHROME = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36"
NEWER = CHROME.replace("126", "140")
FIREFOX = "Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0"


@pytest.fixture
async def served(serving_auth: Callable[..., Any]) -> AsyncIterator[AuthClient]:
    async with serving_auth(trusted_proxies="127.0.0.1") as auth:
        yield auth


async def sign_in(
    auth: AuthClient, how: str, address: str, agent: str, device: str | None = None
) -> dict[str, Any]:
    headers = {"X-Forwarded-For": address, "User-Agent": agent}
    body: dict[str, Any] = {"email": EMAIL} | ({"device": device} if device else {})
    if how == "password":
        body["password"] = PASSWORD
    else:
        _, body["otp"] = await next_code(auth, EMAIL, "/login", email=EMAIL)
    answer = await auth.call("POST", "/login", json=body, headers=headers)
    assert answer.status == 200, answer.body
    pair: dict[str, Any] = answer.body
    return pair


async def announced(auth: AuthClient) -> int:
    await asyncio.sleep(0.2)
    return len([one for one in await auth.inbox(EMAIL) if "sign-in" in str(one["subject"])])


@pytest.mark.parametrize("how", ["password", "code"])
@pytest.mark.parametrize(
    ("address", "agent", "shows", "told"),
    [
        (HOME, CHROME, None, False),
        (NEAR, NEWER, None, False),
        (AWAY, CHROME, None, True),  # a thief with a common browser
        (HOME, FIREFOX, None, True),
        (AWAY, FIREFOX, "own", False),
        (HOME, CHROME, "strangers", True),
        (HOME, CHROME, "forged", False),  # as good as none: the network and the browser decide
    ],
)
async def test_new_device_notice_is_sent_for_unknown_device_alone(
    served: AuthClient, how: str, address: str, agent: str, shows: str | None, *, told: bool
) -> None:
    await activate(served, email=EMAIL, password=PASSWORD)
    first = await sign_in(served, "password", HOME, CHROME)
    before = await announced(served)
    devices = {
        None: None,
        "own": first["device"],
        "strangers": (await served.sign_in("+919876500000"))["device"],
        "forged": "chd_" + "0" * 49,
    }
    await sign_in(served, how, address, agent, devices[shows])
    assert (await announced(served) - before) == int(told)
    # The same device again is known.
    again = await announced(served)
    await sign_in(served, how, address, agent, devices[shows])
    assert await announced(served) == again


async def test_sign_in_without_redis_for_devices_succeeds(
    served: AuthClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await activate(served, email=EMAIL, password=PASSWORD)

    async def away(*_: Any) -> bool:
        raise ServiceUnavailable

    monkeypatch.setattr("auth_service.device.service.KnownDevices.remember", away)
    await sign_in(served, "password", AWAY, CHROME)
