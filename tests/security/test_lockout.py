"""Others' traffic keeps no owner out who shows a device token, and a token grants nothing."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from auth_service.app import interface
from auth_service.device.schemas import DeviceBody
from tests.support.accounts import PASSWORD, activate, next_code, post
from tests.support.auth_client import AuthClient
from tests.support.browser import DEVICE, Browser, cookies_set_by
from tests.support.clock import MovableClock

MOBILE, EMAIL, OTHER = "+919876543210", "asha.rao@example.com", "+919876500000"
HERE = "203.0.113.7"
TRUSTED = {"trusted_proxies": "127.0.0.1"}
SEND_LIMITS = [
    {"limit_send_total_per_destination": "3/hour"},
    {"limit_send_per_ip": "3/hour"},
    {"limit_send_per_destination": "3/hour"},
    {"limit_send_total": "3/hour"},
    {"limit_send_per_prefix": "3/hour"},
    {"otp_cooldown": 3600},
]


def client_headers(address: str) -> dict[str, Any]:
    return {"headers": {"X-Forwarded-For": address}}


@pytest.mark.parametrize("limit", SEND_LIMITS, ids=lambda one: next(iter(one)))
async def test_send_limits_filled_by_strangers_spare_known_device(
    serving_auth: Callable[..., Any], limit: dict[str, Any]
) -> None:
    """At an address that strangers share, and at one that the owner never used before."""
    async with serving_auth() as open_auth:
        device = (await open_auth.sign_in(MOBILE))["device"]
    async with serving_auth(**TRUSTED, **limit) as auth:
        for number in range(6):
            await auth.request_code(MOBILE, **client_headers(f"203.0.113.{number // 3}"))
        for number in range(6):
            await auth.request_code(f"+91987654300{number}", **client_headers("203.0.113.0"))
        assert (
            await auth.request_code(MOBILE, device=device, **client_headers("203.0.113.0"))
        ).status == 202


async def test_send_limit_of_known_device_is_bounded(serving_auth: Callable[..., Any]) -> None:
    async with serving_auth() as open_auth:
        device = (await open_auth.sign_in(MOBILE))["device"]
    async with serving_auth(**TRUSTED, limit_send_per_destination="2/hour") as auth:
        statuses = [
            (
                await auth.request_code(
                    MOBILE, device=device, **client_headers(f"203.0.113.{number}")
                )
            ).status
            for number in range(3)
        ]
        assert statuses == [202, 202, 429]


async def test_send_limit_of_new_devices_is_four_a_day(
    serving_auth: Callable[..., Any], clock: MovableClock
) -> None:
    """Else each sign-in with another device would buy ten more messages a day."""
    async with serving_auth() as open_auth:
        devices = [(await open_auth.sign_in(MOBILE))["device"] for _ in range(6)]
        clock.advance(hours=25)
        devices += [(await open_auth.sign_in(MOBILE))["device"] for _ in range(6)]
    limits = {"limit_send_total_per_destination": "1/hour", "limit_send_per_destination": "1/hour"}
    async with serving_auth(**limits) as auth:
        assert (await auth.request_code(MOBILE)).status == 202
        statuses = [(await auth.request_code(MOBILE, device=device)).status for device in devices]
        assert statuses == 2 * ([202] * 4 + [429] * 2)


async def test_known_devices_beyond_eight_drop_the_longest_unused(
    serving_auth: Callable[..., Any], clock: MovableClock
) -> None:
    async with serving_auth() as open_auth:
        devices = []
        for _ in range(9):
            devices.append((await open_auth.sign_in(MOBILE))["device"])
            clock.advance(hours=25)
    async with serving_auth(limit_send_total_per_destination="1/hour") as auth:
        assert (await auth.request_code(MOBILE)).status == 202
        statuses = [(await auth.request_code(MOBILE, device=device)).status for device in devices]
        assert statuses == [429] + [202] * 8


@pytest.mark.parametrize("owner_of", ["another account", "nobody", "forged", "expired"])
async def test_send_limit_unproven_device_counts_as_stranger(
    serving_auth: Callable[..., Any], clock: MovableClock, owner_of: str
) -> None:
    async with serving_auth() as open_auth:
        await open_auth.sign_in(MOBILE)
        device = (await open_auth.sign_in(OTHER))["device"]
        if owner_of == "nobody":
            device = ""
        if owner_of == "forged":
            device = device[:10] + "0" + device[11:]
        if owner_of == "expired":
            device = (await open_auth.sign_in(MOBILE))["device"]
            clock.advance(days=181)
    async with serving_auth(limit_send_total_per_destination="1/hour") as auth:
        assert (await auth.request_code(MOBILE)).status == 202
        assert (await auth.request_code(MOBILE, device=device)).status == 429


async def test_login_limit_full_spares_password_of_known_device(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth() as open_auth:
        pair = await activate(open_auth, email=EMAIL, username="asha", password=PASSWORD)
    limits = {"limit_login_failures": "2/hour", "limit_login_per_ip": "4/minute"}
    async with serving_auth(**TRUSTED, **limits) as auth:
        for name in ({"email": EMAIL}, {"username": "asha"}):
            for _ in range(3):
                await post(auth, "/login", address="203.0.113.7", **name, password="guess it is")
            right = {**name, "password": PASSWORD}
            refused = await post(auth, "/login", address="203.0.113.7", **right)
            assert refused.status == 429
            known = await post(
                auth, "/login", address="203.0.113.7", **right, device=pair["device"]
            )
            assert known.status == 200, known.body


async def test_login_limit_devices_of_strangers_add_no_guesses(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth() as open_auth:
        await activate(open_auth, email=EMAIL, password=PASSWORD)
        devices = [(await open_auth.sign_in(OTHER))["device"] for _ in range(5)]
    async with serving_auth(**TRUSTED, limit_login_failures="2/hour") as auth:
        statuses = [
            (
                await post(
                    auth,
                    "/login",
                    address="203.0.113.7",
                    email=EMAIL,
                    password=f"guess-number-{number}",
                    device=device,
                )
            ).status
            for number, device in enumerate(devices)
        ]
        assert statuses == [401, 401, 429, 429, 429]


TAKING = [
    operation
    for operation in interface(development=False).operations
    if operation.body is not None and issubclass(operation.body, DeviceBody)
]


def test_bodies_with_code_or_password_accept_device() -> None:
    paths = {operation.path for operation in TAKING}
    assert paths == {
        "/signup",
        "/register",
        "/verify-otp",
        "/resend-otp",
        "/login",
        "/forgot-password",
        "/verify-reset",
        "/reset-password",
        "/change-password",
        "/step-up",
        "/me",
        "/me/verify-contact",
        "/mfa/verify",
        "/mfa/passkey-options",
        "/me/factors/totp",
        "/me/factors/totp/{id}/confirm",
        "/me/factors/passkeys/options",
        "/me/factors/passkeys",
        "/passkeys/login",
    }
    for operation in interface(development=False).operations:
        fields = operation.body.model_fields if operation.body else {}
        if {"otp", "password"} & set(fields):
            assert "device" in fields, operation.path


async def test_device_token_renewed_names_the_same_device(
    auth: AuthClient, clock: MovableClock
) -> None:
    """Each answer has a fresh token of the same device, so that it lives on while it is used."""
    first = await auth.sign_in(MOBILE)
    clock.advance(days=2)
    refreshed = await auth.call("POST", "/refresh", json={"refresh_token": first["refresh_token"]})
    assert refreshed.status == 200
    sent, code = await next_code(auth, MOBILE, "/signup", phone_number=MOBILE, name="Asha")
    again = await auth.enter_code(MOBILE, code, sent.body["challenge"], device=first["device"])
    assert again.body["device"] != first["device"]
    assert device_id(again.body["device"]) == device_id(refreshed.body["device"])
    assert device_id(again.body["device"]) == device_id(first["device"])


def device_id(token: str) -> str:
    """What shows the device in its token: the id's bytes come first."""
    assert token.startswith("chd_")
    return token[4:19]


async def test_device_cookie_is_set_and_recognised(auth: AuthClient) -> None:
    browser = Browser(auth.http)
    for first in (True, False):
        sent, code = await next_code(auth, MOBILE, "/signup", phone_number=MOBILE, name="Asha")
        body = {
            "phone_number": MOBILE,
            "otp": code,
            "challenge": sent.body["challenge"],
            "transport": "cookie",
        }
        headers = {"User-Agent": f"Phone{first}/1"}
        answer = await browser.call("POST", "/v1/auth/signup", json=body, headers=headers)
        assert "device" not in answer.body
        assert cookies_set_by(answer)[DEVICE]["max-age"] == str(180 * 24 * 3600)
    await asyncio.sleep(0.2)
    assert not [one for one in await auth.inbox(MOBILE) if "sign-in" in str(one["text"])]


async def test_refresh_of_session_without_device_adds_one(auth: AuthClient, auth_db: Any) -> None:
    pair = await auth.sign_in(MOBILE)
    await auth_db.execute("update sessions set device_id = null")
    answers = []
    for _ in range(2):
        body = {"refresh_token": pair["refresh_token"]}
        pair = (await auth.call("POST", "/refresh", json=body)).body
        answers.append(device_id(pair["device"]))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("device", ["", "chd_", "x" * 200, "chd_" + "é" * 49, "chd_" + "-" * 49])
async def test_device_token_malformed_is_ignored(auth: AuthClient, device: str) -> None:
    body = {"phone_number": MOBILE, "name": "Asha", "device": device}
    assert (await auth.call("POST", "/signup", json=body)).status == 202


async def test_step_up_password_spares_limit_filled_by_neighbours(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth() as open_auth:
        pair = await activate(open_auth, email=EMAIL, username="asha", password=PASSWORD)
    async with serving_auth(**TRUSTED, limit_login_per_ip="2/minute") as auth:
        for _ in range(3):
            await post(auth, "/login", username="nobody", password="guess it is", address=HERE)
        stepped_up = await auth.call(
            "POST",
            "/step-up",
            json={"password": PASSWORD},
            token=pair["access_token"],
            **client_headers(HERE),
        )
        assert stepped_up.status == 200, stepped_up.body
