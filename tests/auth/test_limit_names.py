"""Every 429 and its log line name the setting of the limit that refused."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest
import structlog

from auth_service.client import Client
from auth_service.destination import Destination
from auth_service.rate_limit.model import (
    Scope,
    SendRequest,
    login_scopes,
    send_scopes,
    wrong_code_scopes,
)
from auth_service.settings import AuthSettings
from tests.support.accounts import PASSWORD, activate
from tests.support.auth_client import Answer, wrong

NUMBER, EMAIL = "+919876543210", "asha.rao@example.com"


def assert_named(answer: Answer, logs: Any, setting: str) -> None:
    assert (answer.status, answer.body["limit"]) == (429, setting)
    assert answer.headers["Retry-After"] == str(answer.body["retry_after"])
    [line] = [line for line in logs if line["event"] == "request.limited"]
    assert line["limit"] == setting


@pytest.mark.parametrize(
    "setting",
    ["send_per_destination", "send_total_per_destination", "send_per_ip", "send_per_prefix",
     "send_total"],
)  # fmt: skip
async def test_send_limit_is_named(serving_auth: Callable[..., Any], setting: str) -> None:
    async with serving_auth(**{f"limit_{setting}": "1/hour"}) as auth:
        await auth.request_code(NUMBER)
        with structlog.testing.capture_logs() as logs:
            body = {"phone_number": NUMBER, "name": "Asha"}
            refused = await auth.call("POST", "/signup", json=body)
        assert_named(refused, logs, f"LIMIT_{setting.upper()}")


@pytest.mark.parametrize("setting", ["wrong_per_destination", "wrong_per_ip"])
async def test_limit_of_wrong_codes_is_named(
    serving_auth: Callable[..., Any], setting: str
) -> None:
    async with serving_auth(**{f"limit_{setting}": "1/hour"}) as auth:
        await auth.request_code(NUMBER)
        guess = wrong(await auth.code(NUMBER))
        assert (await auth.enter_code(NUMBER, guess)).status == 401
        with structlog.testing.capture_logs() as logs:
            refused = await auth.enter_code(NUMBER, guess)
        assert_named(refused, logs, f"LIMIT_{setting.upper()}")


@pytest.mark.parametrize("setting", ["login_failures", "login_per_ip"])
async def test_limit_of_passwords_is_named(serving_auth: Callable[..., Any], setting: str) -> None:
    both = {"limit_login_failures": "100/hour", "limit_login_per_ip": "100/hour"}
    async with serving_auth(**both | {f"limit_{setting}": "1/hour"}) as auth:
        body = {"username": "asha", "password": "not it, by far"}
        assert (await auth.call("POST", "/login", json=body)).status == 401
        with structlog.testing.capture_logs() as logs:
            refused = await auth.call("POST", "/login", json=body)
        assert_named(refused, logs, f"LIMIT_{setting.upper()}")


@pytest.mark.parametrize("setting", ["writes_per_session", "writes_per_user"])
async def test_limit_of_changes_is_named(serving_auth: Callable[..., Any], setting: str) -> None:
    async with serving_auth(**{f"limit_{setting}": "1/hour"}) as auth:
        token = (await activate(auth, email=EMAIL, password=PASSWORD))["access_token"]
        body = {"first_name": "Asha"}
        assert (await auth.call("PATCH", "/me", token=token, json=body)).status == 200
        with structlog.testing.capture_logs() as logs:
            refused = await auth.call("PATCH", "/me", token=token, json=body)
        assert_named(refused, logs, f"LIMIT_{setting.upper()}")


@pytest.mark.parametrize("setting", ["refresh_per_session", "refresh_per_user"])
async def test_limit_of_refreshes_is_named(serving_auth: Callable[..., Any], setting: str) -> None:
    async with serving_auth(**{f"limit_{setting}": "1/hour"}) as auth:
        body = {"refresh_token": (await auth.sign_in(NUMBER))["refresh_token"]}
        assert (await auth.call("POST", "/refresh", json=body)).status == 200
        with structlog.testing.capture_logs() as logs:
            refused = await auth.call("POST", "/refresh", json=body)
        assert_named(refused, logs, f"LIMIT_{setting.upper()}")


def test_each_counter_belongs_to_a_setting(auth_settings: Callable[..., AuthSettings]) -> None:
    limits = dict.fromkeys(AuthSettings.limit_names(), "1/hour")
    settings = auth_settings(**limits, otp_cooldown=30)
    for address in ("198.51.100.7", "2001:db8::1"):
        client = Client(ip_address(address), None, "request-1")
        mail = Destination("email", "asha+x@example.com")
        scopes: list[Scope] = []
        for to in (Destination("sms", NUMBER), mail):
            request = SendRequest(
                to,
                client,
                is_known_device=False,
                has_verified_owner=False,
                conceal=False,
                queues=True,
                to=mail,
            )
            scopes += send_scopes(settings, request)
            for with_handle in (True, False):
                scopes += wrong_code_scopes(settings, to, client, with_handle=with_handle)
        scopes += login_scopes(settings, "asha", client)
        names = {name.upper() for name in AuthSettings.model_fields}
        assert {scope.setting for scope in scopes} <= names
