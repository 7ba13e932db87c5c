"""Attacks on the second factor: no token before it, no code twice, no lock-out of its owner."""

import asyncio

from tests.support.accounts import PASSWORD, activate, next_code, post, register
from tests.support.auth_client import Answer, AuthClient
from tests.support.authenticator import (
    begin,
    confirm,
    enrol,
    user_with_app,
    verify,
)
from tests.support.browser import Browser, sign_in
from tests.support.clock import MovableClock
from tests.support.database import Connection, count_waiting
from tests.support.waiting import until

NUMBER, OTHER = "+919876543210", "+919876543211"
EMAIL = "asha@example.com"
SESSIONS = "select count(*) from sessions"


# ------------------------------------------------------------------ no token before the factor


def require_no_tokens(answer: Answer) -> None:
    assert (answer.status, answer.code) == (403, "mfa_required"), answer.body
    assert set(answer.body) == {
        *("type", "title", "status", "detail", "code", "request_id"),
        *("methods", "mfa_ticket", "expires_in"),
    }
    assert "Set-Cookie" not in answer.headers


async def test_activation_code_of_an_address_with_an_owner_issues_no_token(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    registered, code = await register(auth, mobile=NUMBER)
    app = await user_with_app(auth, clock, NUMBER)
    before = await auth_db.fetchval(SESSIONS)
    body = {"mobile": NUMBER, "otp": code, "challenge": registered.body["challenge"]}
    answer = await post(auth, "/verify-otp", **body)
    require_no_tokens(answer)
    assert await auth_db.fetchval(SESSIONS) == before
    assert (await verify(auth, answer.body["mfa_ticket"], app.next_code())).status == 200


async def test_first_step_with_cookies_of_a_running_session_issues_no_token(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await activate(auth, mobile=NUMBER, email=EMAIL, password=PASSWORD)
    await auth_db.execute("update users set email_verified = true")
    browser: Browser = await sign_in(auth, NUMBER)
    await enrol(auth, clock, pair["access_token"])
    body = {"email": EMAIL, "password": PASSWORD, "transport": "cookie"}
    require_no_tokens(await browser.call("POST", "/v1/auth/login", json=body))


async def test_reset_password_leaves_the_factor(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await activate(auth, mobile=NUMBER, email=EMAIL, password=PASSWORD)
    await auth_db.execute("update users set email_verified = true")
    await enrol(auth, clock, pair["access_token"])
    _, code = await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
    new = "another correct horse"
    done = await post(auth, "/reset-password", email=EMAIL, otp=code, new_password=new)
    assert done.status == 200
    require_no_tokens(await post(auth, "/login", email=EMAIL, password=new))


async def test_sign_in_during_an_enrolment_waits_and_asks_for_the_factor(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    """The statement began before the factor was committed: it reads the user's row once more."""
    await auth.sign_in(NUMBER)
    sent = await auth.request_code(NUMBER)
    code = await auth.code(NUMBER, 2)
    async with auth_db.transaction():
        await auth_db.execute("update users set factor_kinds = '{totp}'")
        signing_in = asyncio.ensure_future(auth.enter_code(NUMBER, code, sent.body["challenge"]))
        await until(lambda: count_waiting(auth_db))
    require_no_tokens(await signing_in)


# ------------------------------------------------------------------ changing factors


async def test_enrolment_that_races_with_the_owners_is_refused(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    """The thief's request has read the user before the owner's factor was committed."""
    stolen = await auth.sign_in(NUMBER)
    app = await begin(auth, clock, stolen["access_token"])
    async with auth_db.transaction():
        await auth_db.execute("update users set factor_kinds = '{totp}'")
        racing = asyncio.ensure_future(confirm(auth, stolen["access_token"], app, app.code()))
        await until(lambda: count_waiting(auth_db))
    refused = await racing
    assert (refused.status, refused.code) == (403, "step_up_required")
    assert await auth_db.fetchval("select count(confirmed_at) from factors") == 0


async def test_recovery_code_used_while_the_last_factor_is_removed_proves_nothing(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    """The removal has lowered the claims of every session, and not yet deleted the codes."""
    pair, other = await auth.sign_in(NUMBER), await auth.sign_in(NUMBER)
    app = await begin(auth, clock, pair["access_token"])
    confirmed = await confirm(auth, pair["access_token"], app, app.code())
    code = {"recovery_code": confirmed.body["recovery_codes"][0]}
    async with auth_db.transaction():
        await auth_db.execute("update users set factor_kinds = '{}'")
        await auth_db.execute("delete from factors")
        await auth_db.execute(
            "update sessions set amr = array_remove(amr, 'mfa') where 'mfa' = any (amr)"
        )
        stepping_up = asyncio.ensure_future(
            auth.call("POST", "/step-up", token=other["access_token"], json=code)
        )

        async def waits() -> bool:
            return stepping_up.done() or bool(await count_waiting(auth_db))

        await until(waits)
        await auth_db.execute("delete from recovery_codes")
    refused = await stepping_up
    assert (refused.status, refused.code) == (401, "mfa_invalid")
    amr = await auth_db.fetch("select amr from sessions")
    assert [sorted(row["amr"]) for row in amr] == [["otp", "sms"]] * 2
