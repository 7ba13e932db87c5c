"""Published holes in other services' second factors, each tried as its advisory describes it."""

from uuid import UUID

import pytest

from auth_service.factor.sign_in import MAX_TRIES
from tests.support.auth_client import AuthClient
from tests.support.authenticator import (
    Authenticator,
    ask_for_factor,
    first_step,
    user_with_app,
    verify,
)
from tests.support.browser import Browser, cookies_set_by, is_signed_in, request_cookie_sign_in
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.passkey_client import (
    a_passkey,
    add,
    ask,
    second_step,
    sign_in_alone,
    signed,
    user_with_passkey,
)

NUMBER, OTHER = "+919876543210", "+919876543211"


@pytest.fixture
async def auth(passkey_auth: AuthClient) -> AuthClient:
    return passkey_auth


def spellings(code: str) -> list[str]:
    """The code, and what is read as the code too."""
    return [code, f" {code}", f"{code} ", f"{code[:3]} {code[3:]}", f"{code[:3]}-{code[3:]}"]


async def test_code_used_again_with_blanks_is_refused(
    auth: AuthClient, clock: MovableClock
) -> None:
    """CVE-2025-6014: Vault took a code again in its validity, if it was spelled with blanks."""
    app = await user_with_app(auth, clock, NUMBER)
    code = app.next_code()
    assert (await verify(auth, await ask_for_factor(auth, NUMBER), f" {code} ")).status == 200
    ticket = await ask_for_factor(auth, NUMBER)
    for spelling in spellings(code)[:MAX_TRIES]:
        refused = await verify(auth, ticket, spelling)
        assert (refused.status, refused.code) == (401, "mfa_invalid"), spelling


async def test_guesses_with_blanks_count_like_those_without(
    auth: AuthClient, clock: MovableClock
) -> None:
    """CVE-2025-55003: in OpenBao, blanks in a code led past the limit of wrong ones."""
    app = await user_with_app(auth, clock, NUMBER)
    ticket = await ask_for_factor(auth, NUMBER)
    for spelling in spellings(app.wrong())[:MAX_TRIES]:
        assert (await verify(auth, ticket, spelling)).code == "mfa_invalid", spelling
    assert (await verify(auth, ticket, app.next_code())).code == "mfa_ticket_invalid"
    for _ in range(3):
        ticket = await ask_for_factor(auth, NUMBER)
        for spelling in spellings(app.wrong())[:MAX_TRIES]:
            assert (await verify(auth, ticket, spelling)).code == "mfa_invalid", spelling
    refused = await verify(auth, await ask_for_factor(auth, NUMBER), f" {app.code()}")
    assert (refused.status, refused.code) == (429, "rate_limited")


async def test_code_of_one_sign_in_is_refused_to_another_while_it_is_shown(
    auth: AuthClient, clock: MovableClock
) -> None:
    """GHSA-p747-qc5p-773r: Vikunja took a code in as many sign-ins as began in its 30 seconds."""
    app = await user_with_app(auth, clock, NUMBER)
    owner, thief = [await ask_for_factor(auth, NUMBER) for _ in range(2)]
    code = app.next_code()
    assert (await verify(auth, owner, code)).status == 200
    assert app.code() == code
    refused = await verify(auth, thief, code)
    assert (refused.status, refused.code) == (401, "mfa_invalid")


async def test_disabled_account_is_refused_by_passkey_and_second_step(
    auth: AuthClient, auth_db: Connection
) -> None:
    """CVE-2025-10908: WSO2 let locked accounts in, by passkey or by a mailed link."""
    pair = await auth.sign_in(NUMBER)
    passkey = a_passkey()
    await add(auth, pair["access_token"], passkey)
    ticket = await ask_for_factor(auth, NUMBER)
    response = signed(passkey, (await ask(auth, ticket)).body)
    administrator = await administrator_token(auth, auth_db)
    path = f"/admin/users/{pair['user']['id']}"
    assert (await auth.call("POST", f"{path}/disable", token=administrator)).status == 200
    sessions = await auth_db.fetchval("select count(*) from sessions")
    alone = await sign_in_alone(auth, passkey)
    assert (alone.status, alone.code) == (401, "credential_invalid")
    both = await second_step(auth, ticket, response)
    assert (both.status, both.code) == (401, "mfa_ticket_invalid")
    first = await first_step(auth, NUMBER)
    assert (first.status, "mfa_ticket" in first.body) == (403, False)
    assert await auth_db.fetchval("select count(*) from sessions") == sessions
    assert (await auth.call("POST", f"{path}/enable", token=administrator)).status == 200
    assert (await sign_in_alone(auth, passkey)).status == 200


async def administrator_token(auth: AuthClient, auth_db: Connection) -> str:
    user_id = (await auth.sign_in(OTHER))["user"]["id"]
    await auth_db.execute("update users set roles = '{admin}' where id = $1", UUID(user_id))
    return str((await auth.sign_in(OTHER))["access_token"])


async def test_browser_has_no_session_before_the_second_factor(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    """GHSA-xg6x-h9c9-2m83: better-auth's cache of sessions took the first step for a sign-in."""
    app: Authenticator = await user_with_app(auth, clock, NUMBER)
    sessions = await auth_db.fetchval("select count(*) from sessions")
    asked = await request_cookie_sign_in(auth, NUMBER)
    assert (asked.status, asked.code) == (403, "mfa_required")
    browser = Browser(auth.http, {name: one.value for name, one in cookies_set_by(asked).items()})
    assert (await browser.call("POST", "/v1/auth/refresh", json={})).status == 401
    assert not await is_signed_in(browser)
    assert await auth_db.fetchval("select count(*) from sessions") == sessions
    body = {"mfa_ticket": asked.body["mfa_ticket"], "method": "totp", "transport": "cookie"}
    wrong = await browser.call("POST", "/v1/auth/mfa/verify", json=body | {"otp": app.wrong()})
    assert wrong.code == "mfa_invalid"
    assert not await is_signed_in(browser)
    right = await browser.call("POST", "/v1/auth/mfa/verify", json=body | {"otp": app.next_code()})
    assert right.status == 200
    assert await is_signed_in(browser)


async def test_passkey_is_removed_by_its_owner_alone(auth: AuthClient) -> None:
    """GHSA-4vcf-q4xf-f48m: better-auth let each user delete each passkey whose id they knew."""
    pair = await auth.sign_in(NUMBER)
    passkey = a_passkey()
    factor = await add(auth, pair["access_token"], passkey)
    thief = await user_with_passkey(auth, OTHER)
    token = (await sign_in_alone(auth, thief)).body["access_token"]
    refused = await auth.call("DELETE", f"/me/factors/{factor['id']}", token=token)
    assert (refused.status, refused.code) == (404, "not_found")
    own = await sign_in_alone(auth, passkey)
    assert own.body["user"]["id"] == pair["user"]["id"]
    token = own.body["access_token"]
    assert (await auth.call("DELETE", f"/me/factors/{factor['id']}", token=token)).status == 204
