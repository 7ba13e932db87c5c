"""The routes that add a factor: who may call them, and how often."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.opaque_tokens import encode_token
from tests.support.auth_client import AuthClient
from tests.support.browser import sign_in

NUMBER, OTHER = "+919876543210", "+919876543211"
FACTOR = "01980000-0000-7000-8000-000000000001"


ADDING: dict[str, dict[str, Any]] = {
    "/me/factors/totp": {"otp": "123456"},
    f"/me/factors/totp/{FACTOR}/confirm": {"otp": "123456"},
    "/me/factors/passkeys/options": {},
    "/me/factors/passkeys": {"challenge": "A" * 43, "credential": {}},
}


@pytest.mark.parametrize("path", ADDING)
async def test_adding_a_factor_without_session_or_ticket_is_refused(
    auth: AuthClient, path: str
) -> None:
    for body in (None, ADDING[path]):
        missing = await auth.call("POST", path, json=body)
        assert (missing.status, missing.code) == (401, "token_missing")
        forged = await auth.call("POST", path, json=body, token="garbage")
        assert (forged.status, forged.code) == (401, "token_invalid")
    token = (await auth.sign_in(NUMBER))["access_token"]
    assert (await auth.call("POST", "/logout", token=token)).status == 204
    assert (await auth.call("POST", path, token=token)).code == "token_revoked"
    browser = await sign_in(auth, OTHER)
    planted = await browser.call("POST", f"/v1/auth{path}", headers={"X-CSRF-Token": None})
    assert (planted.status, planted.code) == (403, "csrf_failed")


@pytest.mark.parametrize("path", ADDING)
async def test_adding_a_factor_by_a_ticket_of_no_sign_in_is_refused(
    auth: AuthClient, path: str
) -> None:
    body = ADDING[path] | {"mfa_ticket": encode_token("cht_", bytes(32))}
    refused = await auth.call("POST", path, json=body)
    assert (refused.status, refused.code) == (401, "mfa_ticket_invalid")


@pytest.mark.parametrize("path", ADDING)
async def test_adding_factors_has_the_limits_of_changes(
    serving_auth: Callable[..., Any], path: str
) -> None:
    async with serving_auth(limit_writes_per_session="1/hour") as auth:
        token = (await auth.sign_in(NUMBER))["access_token"]
        answers = [await auth.call("POST", path, token=token, json=ADDING[path]) for _ in "12"]
        assert (answers[1].status, answers[1].code) == (429, "rate_limited")
