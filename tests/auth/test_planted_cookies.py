"""What other sites, and other hosts of this one, can do to a browser that is signed in: nothing."""

from collections.abc import Callable
from typing import Any

import jwt
import pytest

from auth_service.signing.keystore import KeyStore
from shared.clock import SystemClock
from tests.conftest import ISSUER
from tests.support.auth_client import AuthClient
from tests.support.browser import (
    ACCESS,
    REFRESH,
    Browser,
    cookies_set_by,
    is_signed_in,
    request_cookie_sign_in,
    sign_in,
)
from tests.support.clock import MovableClock
from tests.support.database import Connection

NUMBER, OTHER = "+919876543210", "+919876543211"
FOREIGN = ["https://evil.example", "null", ISSUER + ".evil.example", "http://127.0.0.2:8000", ""]
ME, OUT, AGAIN = "/v1/auth/me", "/v1/auth/logout", "/v1/auth/refresh"


@pytest.mark.parametrize("origin", FOREIGN[:-1])
async def test_cookie_sign_in_from_foreign_origin_is_csrf_failed(
    auth: AuthClient, origin: str
) -> None:
    """Login CSRF: no cookie is set, and the code is not spent."""
    refused = await request_cookie_sign_in(auth, NUMBER, Origin=origin)
    assert (refused.status, refused.code) == (403, "csrf_failed")
    assert cookies_set_by(refused) == {}
    code = (await auth.codes(NUMBER))[0]
    assert (await auth.enter_code(NUMBER, code)).status == 201


async def test_session_cookie_sent_twice_is_400(auth: AuthClient) -> None:
    browser = await sign_in(auth, NUMBER)
    line = browser.line()
    for planted in (f"{ACCESS}=x; {line}", f"{line};{ACCESS}={browser.jar[ACCESS]}"):
        refused = await browser.call("GET", ME, headers={"Cookie": planted})
        assert (refused.status, refused.code) == (400, "malformed_request")
    assert await is_signed_in(browser)
    # names that only look alike are other cookies
    for harmless in (f"{ACCESS.lower()}=x", f"x{ACCESS}=x", "a=b", ACCESS, "=", f"a={ACCESS}=x"):
        assert (
            await browser.call("GET", ME, headers={"Cookie": f"{harmless}; {line}"})
        ).status == 200
    odd = f"\u2000{ACCESS}={browser.jar[ACCESS]}"  # a browser lets any host of the site set it
    assert (await browser.call("GET", ME, headers={"Cookie": odd})).code == "token_missing"


@pytest.mark.parametrize("origin", [None, *FOREIGN])
async def test_cookie_refresh_and_logout_from_foreign_origin_are_csrf_failed(
    auth: AuthClient, origin: str | None
) -> None:
    browser = await sign_in(auth, NUMBER)
    for path in (AGAIN, OUT):
        refused = await browser.call("POST", path, headers={"Origin": origin})
        assert (refused.status, refused.code) == (403, "csrf_failed")
        assert cookies_set_by(refused) == {}
    assert (await browser.call("POST", AGAIN)).status == 200
    assert await is_signed_in(browser)


async def test_cookie_refresh_planted_refresh_cookie_is_refresh_invalid(
    auth: AuthClient, auth_db: Connection
) -> None:
    """Cookie tossing: a sibling host sets its own session's refresh token for the whole site."""
    victim, attacker = await sign_in(auth, NUMBER), await sign_in(auth, OTHER)
    forged = victim.jar[ACCESS].rpartition(".")[0] + "." + attacker.jar[ACCESS].rpartition(".")[2]
    for access in (victim.jar[ACCESS], "", "nonsense", forged):
        planted = victim.line(**{REFRESH: attacker.jar[REFRESH], ACCESS: access})
        refused = await victim.call("POST", AGAIN, headers={"Cookie": planted})
        assert (refused.status, refused.code) == (401, "refresh_invalid")
        assert cookies_set_by(refused) == {}
    used = "select count(*) from tokens where used_at is not null"
    assert await auth_db.fetchval(used) == 0
    assert (await is_signed_in(victim), await is_signed_in(attacker)) == (True, True)


async def test_cookie_refresh_planted_old_token_ends_no_session(auth: AuthClient) -> None:
    victim, attacker = await sign_in(auth, NUMBER), await sign_in(auth, OTHER)
    old = attacker.jar[REFRESH]
    for _ in range(2):
        await attacker.call("POST", AGAIN)
    planted = victim.line(**{REFRESH: old})
    refused = await victim.call("POST", AGAIN, headers={"Cookie": planted})
    assert refused.code == "refresh_invalid"
    assert await is_signed_in(attacker)


async def test_cookie_refresh_after_signing_key_was_replaced_works(
    serving_auth: Callable[..., Any], tmp_path: Any, clock: MovableClock
) -> None:
    """A browser that slept while the key was rotated out is not signed out."""
    store = KeyStore(tmp_path / "keys")
    (tmp_path / "keys").mkdir()
    store.create("EdDSA", signs_from=SystemClock().now())
    async with serving_auth(jwt_private_keys_dir=tmp_path / "keys") as auth:
        browser, other = await sign_in(auth, NUMBER), await sign_in(auth, OTHER)
    for path in (tmp_path / "keys").iterdir():
        path.unlink()
    store.create("EdDSA", signs_from=SystemClock().now())
    async with serving_auth(jwt_private_keys_dir=tmp_path / "keys") as auth:
        here = Browser(auth.http, browser.jar)
        planted = {"Cookie": here.line(**{REFRESH: other.jar[REFRESH]})}
        assert (await here.call("POST", AGAIN, headers=planted)).code == "refresh_invalid"
        claims = jwt.decode(other.jar[ACCESS], options={"verify_signature": False})
        header = {"typ": "at+jwt", "kid": "gone"}
        made = jwt.encode({**claims, "csrf": "0" * 64}, "k" * 32, headers=header)
        planted = {"Cookie": here.line(**{REFRESH: other.jar[REFRESH], ACCESS: made})}
        assert (await here.call("POST", AGAIN, headers=planted)).code == "refresh_invalid"
        assert (await here.call("POST", AGAIN)).status == 200
        assert await is_signed_in(here)
