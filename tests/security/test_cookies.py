"""What a sibling host gains by planting further values of our cookies: nothing, on any route."""

from uuid import uuid4

import pytest

from auth_service.session.cookies import MAX_REFRESH_VALUES
from shared.opaque_tokens import SECRET_BYTES, encode_token
from tests.conftest import ISSUER
from tests.contract.test_route_table import ROUTES, Route
from tests.support.auth_client import AuthClient
from tests.support.browser import ACCESS, CSRF, REFRESH, Browser, is_signed_in, sign_in
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.raw_http import SmallService

NUMBER, OTHER = "+919876543210", "+919876543211"
OUT, AGAIN, ME = "/v1/auth/logout", "/v1/auth/refresh", "/v1/auth/me"
GUARDED = [route for route in ROUTES if route.prefix == "/v1/auth" and route.needs_token]
CHANGES = [route for route in GUARDED if route.operation.method not in {"GET", "HEAD"}]
NO_TOKEN = {"X-CSRF-Token": None}


def invented_token(number: int = 0) -> str:
    """A value with the form of a refresh token, which anybody can make."""
    return encode_token("chr_", number.to_bytes(SECRET_BYTES))


def cookie_header_with(browser: Browser, *values: str, first: bool = True) -> dict[str, str]:
    """A Cookie header with further values of the refresh cookie, before ours or behind it."""
    extra = [f"{REFRESH}={value}" for value in values]
    pairs = [*extra, browser.line()] if first else [browser.line(), *extra]
    return {"Cookie": "; ".join(pairs)}


@pytest.mark.parametrize("route", GUARDED, ids=str)
async def test_guarded_route_planted_refresh_cookie_changes_no_answer(
    auth: AuthClient, route: Route
) -> None:
    browser = await sign_in(auth, NUMBER)
    path = route.prefix + route.path(uuid4())
    answer = await browser.call(
        route.operation.method, path, headers=cookie_header_with(browser, invented_token(), "junk")
    )
    assert answer.status not in {400, 401}, answer.body
    if answer.status == 403:
        assert answer.code in {"forbidden", "step_up_required"}


@pytest.mark.parametrize("route", GUARDED, ids=str)
async def test_guarded_route_access_cookie_sent_twice_is_refused(
    auth: AuthClient, route: Route
) -> None:
    browser = await sign_in(auth, NUMBER)
    twice = {"Cookie": f"{browser.line()}; {ACCESS}={browser.jar[ACCESS]}"}
    path = route.prefix + route.path(uuid4())
    answer = await browser.call(route.operation.method, path, headers=twice)
    assert (answer.status, answer.code) == (400, "malformed_request")
    assert await is_signed_in(browser)


@pytest.mark.parametrize("route", CHANGES, ids=str)
async def test_changing_route_planted_csrf_cookie_is_csrf_failed(
    auth: AuthClient, route: Route
) -> None:
    browser = await sign_in(auth, NUMBER)
    header = {"Cookie": f"{CSRF}={'0' * 64}; {browser.line()}", "X-CSRF-Token": "0" * 64}
    path = route.prefix + route.path(uuid4())
    answer = await browser.call(route.operation.method, path, headers=header)
    assert (answer.status, answer.code) == (403, "csrf_failed")
    assert await is_signed_in(browser)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("count", [1, MAX_REFRESH_VALUES - 1])
async def test_refresh_planted_values_takes_the_one_of_the_access_cookie(
    auth: AuthClient, auth_db: Connection, count: int, first: bool
) -> None:
    victim, attacker = await sign_in(auth, NUMBER), await sign_in(auth, OTHER)
    values = [attacker.jar[REFRESH], *map(invented_token, range(count - 1))]
    before = victim.jar[REFRESH]
    answer = await victim.call(
        "POST", AGAIN, headers=cookie_header_with(victim, *values, first=first)
    )
    assert answer.status == 200, answer.body
    assert victim.jar[REFRESH] != before
    assert (await is_signed_in(victim), await is_signed_in(attacker)) == (True, True)
    used = "select count(*) from tokens where used_at is not null"
    assert await auth_db.fetchval(used) == 1
    assert (await attacker.call("POST", AGAIN)).status == 200


async def test_refresh_repeated_beside_planted_value_stays_in_its_session(
    auth: AuthClient,
) -> None:
    """The planted value is unused, which comes first among the values of one session."""
    victim, attacker = await sign_in(auth, NUMBER), await sign_in(auth, OTHER)
    before = cookie_header_with(victim, attacker.jar[REFRESH])
    assert (await victim.call("POST", AGAIN)).status == 200
    successor = victim.jar[REFRESH]
    assert (await victim.call("POST", AGAIN, headers=before)).status == 200
    assert victim.jar[REFRESH] == successor
    assert (await victim.call("GET", ME)).body["phone_number"] == NUMBER


async def test_refresh_expired_access_cookie_still_names_the_session(
    auth: AuthClient, clock: MovableClock
) -> None:
    victim, attacker = await sign_in(auth, NUMBER), await sign_in(auth, OTHER)
    clock.advance(days=2)
    header = cookie_header_with(victim, attacker.jar[REFRESH])
    assert (await victim.call("POST", AGAIN, headers=header)).status == 200
    assert await is_signed_in(victim)


async def test_refresh_junk_and_repeated_values_take_no_place(auth: AuthClient) -> None:
    browser = await sign_in(auth, NUMBER)
    junk = ["", "x", "chr_", invented_token() + "x", *[invented_token(1)] * 9]
    answer = await browser.call("POST", AGAIN, headers=cookie_header_with(browser, *junk))
    assert answer.status == 200, answer.body


async def test_refresh_looks_up_no_more_than_four_values(auth: AuthClient) -> None:
    browser = await sign_in(auth, NUMBER)
    values = [invented_token(number) for number in range(MAX_REFRESH_VALUES)]
    refused = await browser.call("POST", AGAIN, headers=cookie_header_with(browser, *values))
    assert (refused.status, refused.code) == (401, "refresh_invalid")
    kept = await browser.call(
        "POST", AGAIN, headers=cookie_header_with(browser, *values, first=False)
    )
    assert kept.status == 200


async def test_refresh_planted_spent_value_of_the_same_session_ends_nothing(
    auth: AuthClient,
) -> None:
    """A value left on another path by the browser itself must not look like theft."""
    browser = await sign_in(auth, NUMBER)
    spent = browser.jar[REFRESH]
    for _ in range(2):
        assert (await browser.call("POST", AGAIN)).status == 200
    assert (
        await browser.call("POST", AGAIN, headers=cookie_header_with(browser, spent))
    ).status == 200
    assert await is_signed_in(browser)
    alone = browser.line(**{REFRESH: spent})
    assert (await browser.call("POST", AGAIN, headers={"Cookie": alone})).code == "refresh_reused"


async def test_refresh_without_access_cookie_is_refused(auth: AuthClient) -> None:
    browser = await sign_in(auth, NUMBER)
    line = f"{REFRESH}={invented_token()}; {REFRESH}={browser.jar[REFRESH]}"
    refused = await browser.call("POST", AGAIN, headers={"Cookie": line})
    assert (refused.status, refused.code) == (401, "refresh_invalid")
    assert await is_signed_in(browser)


async def logout_ends_session(
    auth: AuthClient, browser: Browser, headers: dict[str, str | None]
) -> bool:
    """Return whether signing out with these headers ends the browser's session."""
    kept = Browser(auth.http, dict(browser.jar))
    answer = await browser.call("POST", OUT, headers=headers)
    assert answer.status == 204, answer.body
    return (await kept.call("GET", ME)).code in {"token_revoked", "token_invalid"}


@pytest.mark.parametrize("count", [1, 9])
async def test_logout_planted_refresh_values_needs_access_cookie_and_csrf_alone(
    auth: AuthClient, auth_db: Connection, count: int
) -> None:
    victim, attacker = await sign_in(auth, NUMBER), await sign_in(auth, OTHER)
    values = [attacker.jar[REFRESH], *map(invented_token, range(count - 1))]
    assert await logout_ends_session(auth, victim, {**cookie_header_with(victim, *values)})
    assert await is_signed_in(attacker)
    revoked = "select count(*) from sessions where revoked_at is not null"
    assert await auth_db.fetchval(revoked) == 1


async def test_logout_without_refresh_cookie_needs_access_cookie_and_csrf_alone(
    auth: AuthClient,
) -> None:
    browser = await sign_in(auth, NUMBER)
    line = f"{ACCESS}={browser.jar[ACCESS]}"
    refused = await browser.call("POST", OUT, headers={"Cookie": line, **NO_TOKEN})
    assert refused.code == "csrf_failed"
    assert await logout_ends_session(auth, browser, {"Cookie": line})


async def test_logout_expired_access_cookie_ends_its_own_session_alone(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    first, second, attacker = [await sign_in(auth, one) for one in (NUMBER, NUMBER, OTHER)]
    clock.advance(hours=1)
    live = "select count(*) from sessions where revoked_at is null"
    by_csrf = {**cookie_header_with(first, attacker.jar[REFRESH])}
    assert (await first.call("POST", OUT, headers=by_csrf)).status == 204
    assert await auth_db.fetchval(live) == 2
    planted_alone = {"Cookie": second.line(**{REFRESH: attacker.jar[REFRESH]}), **NO_TOKEN}
    kept = Browser(auth.http, dict(second.jar))
    assert (await kept.call("POST", OUT, headers=planted_alone)).status == 204
    assert await auth_db.fetchval(live) == 2
    by_refresh = {**cookie_header_with(second, attacker.jar[REFRESH]), **NO_TOKEN}
    assert (await second.call("POST", OUT, headers=by_refresh)).status == 204
    assert await auth_db.fetchval(live) == 1
    assert (await attacker.call("POST", AGAIN)).status == 200


async def test_logout_expired_access_cookie_alone_needs_csrf(
    auth: AuthClient, clock: MovableClock
) -> None:
    browser = await sign_in(auth, NUMBER)
    clock.advance(hours=1)
    line = f"{ACCESS}={browser.jar[ACCESS]}"
    refused = await browser.call("POST", OUT, headers={"Cookie": line, **NO_TOKEN})
    assert (refused.status, refused.code) == (403, "csrf_failed")
    assert (await browser.call("POST", AGAIN)).status == 200


@pytest.mark.parametrize("access", ["", "nonsense"])
async def test_logout_planted_refresh_value_without_access_cookie_is_refused(
    auth: AuthClient, access: str
) -> None:
    """Nothing says then which value is ours."""
    browser = await sign_in(auth, NUMBER)
    header = {"Cookie": f"{REFRESH}={invented_token()}; {browser.line(**{ACCESS: access})}"}
    refused = await browser.call("POST", OUT, headers=header)
    assert (refused.status, refused.code) == (400, "malformed_request")
    alone = {"Cookie": browser.line(**{ACCESS: access})}
    assert await logout_ends_session(auth, browser, {**alone, **NO_TOKEN})


@pytest.mark.parametrize("path", [OUT, AGAIN])
@pytest.mark.parametrize("headers", [{"Origin": None}, {"Origin": "https://evil.example"}])
async def test_cookie_route_foreign_origin_is_refused(
    auth: AuthClient, path: str, headers: dict[str, str | None]
) -> None:
    browser = await sign_in(auth, NUMBER)
    alone = {"Cookie": f"{REFRESH}={browser.jar[REFRESH]}"}
    tried: list[dict[str, str]] = [{}, cookie_header_with(browser, invented_token()), alone]
    for cookies in tried:
        refused = await browser.call("POST", path, headers={**cookies, **headers})
        assert (refused.status, refused.code) == (403, "csrf_failed")
    assert await is_signed_in(browser)


@pytest.mark.parametrize("path", [OUT, AGAIN])
async def test_cookie_route_value_that_is_no_text_is_no_server_error(
    auth: AuthClient, path: str
) -> None:
    browser = await sign_in(auth, NUMBER)
    wire = SmallService(auth.http, str(auth.http._base_url))
    for rest in ("", f"; {browser.line()}"):
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nOrigin: {ISSUER}\r\n"
        cookie = f"Cookie: {REFRESH}=".encode() + b"\xff" + rest.encode() + b"\r\n\r\n"
        answer = await wire.one(head.encode() + cookie)
        assert answer.status < 500, answer.body
