"""Every way in gives cookies where they are asked for, and none to another site's page."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.accounts import PASSWORD, activate, next_code, register
from tests.support.auth_client import Answer, AuthClient
from tests.support.browser import ACCESS, CSRF, DEVICE, REFRESH, Browser, cookies_set_by
from tests.support.passkey_client import login_options, signed, user_with_passkey

MOBILE, EMAIL = "+919876543210", "asha.rao@example.com"
ASHA: dict[str, str] = {"email": EMAIL, "username": "asha", "password": PASSWORD}
FOREIGN = {"Origin": "https://evil.example"}


async def post_for_cookies(
    auth: AuthClient, path: str, body: dict[str, Any], headers: dict[str, str] | None = None
) -> Answer:
    body = body | {"transport": "cookie"}
    return await auth.call("POST", path, json=body, headers=headers or {})


async def check_cookie_sign_in(auth: AuthClient, path: str, body: dict[str, Any]) -> None:
    """Another site's page is refused and spends nothing; ours gets cookies that work."""
    refused = await post_for_cookies(auth, path, body, FOREIGN)
    assert (refused.status, refused.code) == (403, "csrf_failed")
    assert cookies_set_by(refused) == {}
    answer = await post_for_cookies(auth, path, body)
    assert answer.status == 200, answer.body
    assert not {"access_token", "refresh_token", "device"} & set(answer.body)
    cookies = cookies_set_by(answer)
    assert set(cookies) == {ACCESS, REFRESH, CSRF, DEVICE}
    browser = Browser(auth.http, {name: one.value for name, one in cookies.items()})
    assert (await browser.call("GET", "/v1/auth/me")).body["id"] == answer.body["user"]["id"]
    assert (await browser.call("POST", "/v1/auth/refresh")).status == 200


async def test_activation_by_cookie_sets_cookies(auth: AuthClient) -> None:
    registered, code = await register(auth, mobile=MOBILE)
    proof = {"mobile": MOBILE, "otp": code, "challenge": registered.body["challenge"]}
    await check_cookie_sign_in(auth, "/verify-otp", proof)


async def test_code_login_by_cookie_sets_cookies(auth: AuthClient) -> None:
    await activate(auth, mobile=MOBILE)
    _, code = await next_code(auth, MOBILE, "/login", mobile=MOBILE)
    await check_cookie_sign_in(auth, "/login", {"mobile": MOBILE, "otp": code})


@pytest.mark.parametrize("name", [{"email": EMAIL}, {"username": "asha"}])
async def test_password_login_by_cookie_sets_cookies(
    auth: AuthClient, name: dict[str, str]
) -> None:
    await activate(auth, **ASHA)
    await check_cookie_sign_in(auth, "/login", {**name, "password": PASSWORD})


async def test_passkey_sign_in_by_cookie_sets_cookies(passkey_auth: AuthClient) -> None:
    passkey = await user_with_passkey(passkey_auth, MOBILE)
    response = signed(passkey, await login_options(passkey_auth))
    await check_cookie_sign_in(passkey_auth, "/passkeys/login", response)


async def test_sign_in_unknown_transport_is_422(auth: AuthClient) -> None:
    for path, body in (
        ("/signup", {"phone_number": MOBILE, "name": "Asha"}),
        ("/login", {"mobile": MOBILE}),
        ("/verify-otp", {"mobile": MOBILE, "otp": "123456"}),
        ("/refresh", {"refresh_token": "x"}),
    ):
        for transport in ("header", "COOKIE", True):
            refused = await auth.call("POST", path, json={**body, "transport": transport})
            assert (refused.status, refused.code) == (422, "validation_failed"), path


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://id.example", True),
        ("https://app.id.example", True),
        ("http://localhost:5173", True),
        ("http://id.example", False),
        ("https://evil.id.example", False),
    ],
)
async def test_cookie_session_behind_tls_accepts_own_and_listed_pages(
    serving_auth: Callable[..., Any], origin: str, *, allowed: bool
) -> None:
    """A proxy in front ends TLS; the services learn of it by PUBLIC_URL alone."""
    settings = {"public_url": "https://id.example", "cors_origins": "https://app.id.example"}
    async with serving_auth() as auth:
        await activate(auth, **ASHA)
    async with serving_auth(**settings) as auth:
        body = {"username": "asha", "password": PASSWORD}
        answer = await post_for_cookies(auth, "/login", body, {"Origin": origin})
        if not allowed:
            assert (answer.status, answer.code) == (403, "csrf_failed")
            assert "CORS_ORIGINS" in answer.body["detail"]
            return
        cookies = {name: one.value for name, one in cookies_set_by(answer).items()}
        browser = Browser(auth.http, cookies)
        for path in ("/v1/auth/refresh", "/v1/auth/logout"):
            done = await browser.call("POST", path, headers={"Origin": origin})
            assert done.status in {200, 204}
            assert done.headers["Access-Control-Allow-Origin"] == origin
