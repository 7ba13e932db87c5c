"""Cookie sessions: what is set, what has to accompany it, and what a planted cookie is worth."""

from collections.abc import Callable
from typing import Any

import jwt

from tests.conftest import ISSUER
from tests.support.auth_client import Answer, AuthClient
from tests.support.browser import (
    ACCESS,
    CSRF,
    DEVICE,
    REFRESH,
    Browser,
    cookies_set_by,
    is_signed_in,
    request_cookie_sign_in,
    sign_in,
)
from tests.support.clock import MovableClock

NUMBER, OTHER = "+919876543210", "+919876543211"
ME, OUT, AGAIN = "/v1/auth/me", "/v1/auth/logout", "/v1/auth/refresh"


async def test_cookie_sign_in_returns_tokens_in_cookies_alone(auth: AuthClient) -> None:
    answer = await request_cookie_sign_in(auth, NUMBER)
    assert answer.status == 201
    assert set(answer.body) == {
        "token_type",
        "expires_in",
        "refresh_expires_in",
        "user",
        "login_at",
        "csrf",
    }
    cookies = cookies_set_by(answer)
    assert set(cookies) == {ACCESS, REFRESH, CSRF, DEVICE}
    for name, path, hidden, site in (
        (ACCESS, "/", True, "Lax"),
        (REFRESH, "/v1/auth", True, "Strict"),
        (CSRF, "/", False, "Strict"),
    ):
        one = cookies[name]
        assert (one["path"], bool(one["httponly"]), one["samesite"]) == (path, hidden, site)
        assert one["secure"]
        assert one["domain"] == ""
        assert 1_209_590 <= int(one["max-age"]) <= 1_209_600
    device = cookies[DEVICE]
    assert (device["path"], device["samesite"], device["max-age"]) == ("/", "Strict", "15552000")
    assert (bool(device["httponly"]), bool(device["secure"]), device["domain"]) == (True, True, "")
    claims = jwt.decode(cookies[ACCESS].value, options={"verify_signature": False})
    assert claims["csrf"] == cookies[CSRF].value == answer.body["csrf"]
    assert len(claims["csrf"]) == 64


async def test_bearer_sign_in_access_token_has_no_csrf_claim(auth: AuthClient) -> None:
    pair = await auth.sign_in(NUMBER)
    assert "csrf" not in jwt.decode(pair["access_token"], options={"verify_signature": False})
    assert "csrf" not in pair


async def test_me_by_cookie_repeats_the_csrf_token_that_counts(auth: AuthClient) -> None:
    browser = await sign_in(auth, NUMBER)
    mine = await browser.call("GET", ME)
    assert mine.body["csrf"] == browser.jar[CSRF]
    shown = {"X-CSRF-Token": mine.body["csrf"]}
    changed = await browser.call("PATCH", ME, json={"name": "Ada"}, headers=shown)
    assert changed.status == 200
    assert "csrf" not in changed.body


async def test_me_by_bearer_token_has_no_csrf_token(auth: AuthClient) -> None:
    browser, pair = await sign_in(auth, NUMBER), await auth.sign_in(NUMBER)
    bearer = {"Authorization": f"Bearer {pair['access_token']}"}
    assert "csrf" not in (await browser.call("GET", ME, headers=bearer)).body


async def test_cookie_get_without_csrf_token_is_served_with_vary(auth: AuthClient) -> None:
    browser = await sign_in(auth, NUMBER)
    answer = await browser.call("GET", ME, headers={"X-CSRF-Token": None, "Origin": None})
    assert answer.status == 200
    assert answer.headers["Vary"] == "Authorization, Cookie, Origin"
    refused = await browser.call("POST", AGAIN, headers={"Cookie": None})
    assert refused.headers["Vary"] == "Authorization, Cookie, Origin"


async def test_cookie_post_needs_csrf_token_of_its_session(auth: AuthClient) -> None:
    browser, other = await sign_in(auth, NUMBER), await sign_in(auth, NUMBER)
    path = "/v1/auth/logout-all"
    right = browser.jar[CSRF]
    for shown in (None, "", "x", right[:-1], right.upper(), right + "0", other.jar[CSRF], "é"):
        refused = await browser.call("POST", path, headers={"X-CSRF-Token": shown})
        assert (refused.status, refused.code) == (403, "csrf_failed"), shown
    planted = {"Cookie": browser.line(**{CSRF: "0" * 64}), "X-CSRF-Token": "0" * 64}
    assert (await browser.call("POST", path, headers=planted)).code == "csrf_failed"
    assert await is_signed_in(browser)
    done = await browser.call("POST", path, json={"except_current": True})
    assert done.status == 204
    assert (await is_signed_in(browser), await is_signed_in(other)) == (True, False)


async def test_bearer_access_token_in_cookie_post_is_csrf_failed(auth: AuthClient) -> None:
    pair = await auth.sign_in(NUMBER)
    headers = {"Cookie": f"{ACCESS}={pair['access_token']}", "X-CSRF-Token": "", "Origin": ISSUER}
    refused = await auth.call("POST", "/logout-all", headers=headers)
    assert refused.code == "csrf_failed"


async def test_bearer_token_beside_cookies_ignores_cookies(auth: AuthClient) -> None:
    browser, pair = await sign_in(auth, NUMBER), await auth.sign_in(OTHER)
    bearer = {"Authorization": f"Bearer {pair['access_token']}"}
    mine = await browser.call("GET", ME, headers=bearer)
    assert mine.body["phone_number"] == OTHER
    twice = {"Cookie": f"{browser.line()}; {ACCESS}=x", "X-CSRF-Token": None, **bearer}
    assert (await browser.call("GET", ME, headers=twice)).status == 200
    bad = {"Authorization": "Bearer nonsense"}
    assert (await browser.call("GET", ME, headers=bad)).code == "token_invalid"
    left = await browser.call("POST", OUT, headers={"X-CSRF-Token": None, "Origin": None, **bearer})
    assert left.status == 204
    assert cookies_set_by(left) == {}
    assert await is_signed_in(browser)
    assert (await browser.call("POST", AGAIN, headers=bearer)).code == "refresh_invalid"


async def test_cookie_refresh_rotates_all_cookies(auth: AuthClient) -> None:
    browser = await sign_in(auth, NUMBER)
    before = dict(browser.jar)
    answer = await browser.call("POST", AGAIN, headers={"X-CSRF-Token": None})
    assert answer.status == 200
    assert not {"access_token", "refresh_token", "device"} & set(answer.body)
    assert set(cookies_set_by(answer)) == {ACCESS, REFRESH, CSRF, DEVICE}
    assert browser.jar[REFRESH] != before[REFRESH]
    assert browser.jar[ACCESS] != before[ACCESS]
    assert browser.jar[CSRF] == before[CSRF]  # other tabs go on
    assert (await browser.call("POST", AGAIN, json={})).status == 200
    assert await is_signed_in(browser)


async def test_cookie_refresh_expired_access_cookie_is_accepted(
    auth: AuthClient, clock: MovableClock
) -> None:
    browser = await sign_in(auth, NUMBER)
    clock.advance(days=3)
    assert not await is_signed_in(browser)
    assert (await browser.call("POST", AGAIN)).status == 200
    assert await is_signed_in(browser)


async def test_body_refresh_from_foreign_origin_needs_no_csrf_token(auth: AuthClient) -> None:
    pair = await auth.sign_in(NUMBER)
    headers = {"Origin": "https://app.example"}
    body = {"refresh_token": pair["refresh_token"]}
    answer = await auth.call("POST", "/refresh", json=body, headers=headers)
    assert answer.status == 200
    assert cookies_set_by(answer) == {}
    cookies = {"refresh_token": answer.body["refresh_token"], "transport": "cookie"}
    refused = await auth.call("POST", "/refresh", json=cookies, headers=headers)
    assert refused.code == "csrf_failed"
    moved = await auth.call("POST", "/refresh", json=cookies)
    assert (moved.status, set(cookies_set_by(moved))) == (200, {ACCESS, REFRESH, CSRF, DEVICE})
    assert "access_token" not in moved.body


async def test_refresh_without_token_is_refresh_invalid(auth: AuthClient) -> None:
    bodies: list[dict[str, str] | None] = [None, {}]
    for body in bodies:
        refused = await auth.call("POST", "/refresh", json=body)
        assert (refused.status, refused.code) == (401, "refresh_invalid")


def clears_cookies(answer: Answer) -> bool:
    cookies = cookies_set_by(answer)
    return set(cookies) == {ACCESS, REFRESH, CSRF} and all(
        (one.value, one["max-age"], bool(one["secure"])) == ("", "0", True)
        for one in cookies.values()
    )


async def test_cookie_logout_clears_cookies_and_ends_session(auth: AuthClient) -> None:
    browser = await sign_in(auth, NUMBER)
    kept = dict(browser.jar)
    refused = await browser.call("POST", OUT, headers={"X-CSRF-Token": None})
    assert refused.code == "csrf_failed"
    answer = await browser.call("POST", OUT, json={})
    assert answer.status == 204
    assert clears_cookies(answer)
    again = Browser(auth.http, kept)
    assert (await again.call("GET", ME)).code == "token_revoked"
    assert (await again.call("POST", AGAIN)).code == "refresh_invalid"
    assert clears_cookies(await again.call("POST", OUT))


async def test_cookie_logout_by_refresh_cookie_alone_ends_session(
    auth: AuthClient, clock: MovableClock
) -> None:
    browser, other = await sign_in(auth, NUMBER), await sign_in(auth, NUMBER)
    alone = {"Cookie": f"{REFRESH}={browser.jar[REFRESH]}", "X-CSRF-Token": None}
    refused = await browser.call("POST", OUT, headers={**alone, "Origin": None})
    assert refused.code == "csrf_failed"
    assert await is_signed_in(browser)
    kept = dict(browser.jar)
    answer = await browser.call("POST", OUT, headers=alone)
    assert (answer.status, clears_cookies(answer)) == (204, True)
    assert not await is_signed_in(Browser(auth.http, kept))
    clock.advance(hours=1)  # the access cookie beside it has expired
    answer = await other.call("POST", OUT, headers={"X-CSRF-Token": None})
    assert (answer.status, clears_cookies(answer)) == (204, True)
    unknown = {"Cookie": f"{REFRESH}=chr_nobody", "X-CSRF-Token": None}
    assert clears_cookies(await other.call("POST", OUT, headers=unknown))


async def test_cookie_logout_all_clears_cookies(auth: AuthClient) -> None:
    browser = await sign_in(auth, NUMBER)
    assert clears_cookies(await browser.call("POST", "/v1/auth/logout-all"))


async def test_cookie_session_after_secret_rotation_stays_valid(
    serving_auth: Callable[..., Any],
) -> None:
    first, second = "a-secret-of-the-test-suite-0123456789abcdef", "b" * 20 + "0123456789abcdefgh"
    async with serving_auth(secret_keys=first) as auth:
        browser = await sign_in(auth, NUMBER)
    async with serving_auth(secret_keys=f"{second},{first}") as auth:
        here = Browser(auth.http, browser.jar)
        assert (await here.call("GET", ME)).body["csrf"] == browser.jar[CSRF]
        body = {"except_current": True}
        path = "/v1/auth/logout-all"
        assert (await here.call("POST", path, json=body)).status == 204
        assert (await here.call("POST", AGAIN)).status == 200
        assert (await here.call("POST", path, json=body)).status == 204
