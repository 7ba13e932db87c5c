"""Sign-ins of a user with a second factor, and step-up by it."""

from typing import Any

from tests.support.accounts import PASSWORD, activate, next_code, post
from tests.support.auth_client import Answer, AuthClient
from tests.support.authenticator import (
    ask_for_factor,
    enrol,
    first_step,
    refresh,
    user_with_app,
    verify,
)
from tests.support.browser import ACCESS, REFRESH, Browser, cookies_set_by
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.tokens import unverified_claims

NUMBER, EMAIL = "+919876543210", "asha@example.com"


async def test_sign_in_with_factor_answers_ticket_then_tokens(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    app = await user_with_app(auth, clock, NUMBER)
    before = await auth_db.fetchrow("select last_login_at from users")
    asked = await first_step(auth, NUMBER)
    assert (asked.status, asked.code) == (403, "mfa_required")
    assert asked.body["methods"] == ["totp", "recovery_code"]
    assert asked.body["expires_in"] == 600
    assert asked.body["mfa_ticket"].startswith("cht_")
    assert "access_token" not in asked.body
    assert await auth_db.fetchval("select count(*) from sessions") == 1
    assert await auth_db.fetchrow("select last_login_at from users") == before
    done = await verify(auth, asked.body["mfa_ticket"], app.next_code())
    assert done.status == 200, done.body
    claims = unverified_claims(done.body["access_token"])
    assert (claims["amr"], claims["acr"]) == (["otp", "sms", "mfa"], "aal2")
    assert (await auth.call("GET", "/me", token=done.body["access_token"])).status == 200
    renewed = unverified_claims((await refresh(auth, done.body))["access_token"])
    assert (renewed["amr"], renewed["acr"]) == (claims["amr"], "aal2")
    events = await auth_db.fetch("select event, outcome from audit_events order by id")
    assert [tuple(event) for event in events][-2:] == [
        ("user.mfa_asked", "success"),
        ("user.signed_in", "success"),
    ]


async def test_sign_in_by_password_names_both_methods_and_refunds_the_try(
    serving_auth: Any, clock: MovableClock
) -> None:
    async with serving_auth(limit_login_failures="2/hour") as auth:
        pair = await activate(auth, email=EMAIL, password=PASSWORD)
        app = await enrol(auth, clock, pair["access_token"])
        tries = [await post(auth, "/login", email=EMAIL, password=PASSWORD) for _ in range(3)]
        assert [asked.code for asked in tries] == ["mfa_required"] * 3
        done = await verify(auth, tries[-1].body["mfa_ticket"], app.next_code())
        assert unverified_claims(done.body["access_token"])["amr"] == ["pwd", "otp", "mfa"]


async def test_sign_in_wrong_code_leaves_the_ticket(auth: AuthClient, clock: MovableClock) -> None:
    app = await user_with_app(auth, clock, NUMBER)
    ticket = await ask_for_factor(auth, NUMBER)
    refused = await verify(auth, ticket, app.wrong())
    assert (refused.status, refused.code) == (401, "mfa_invalid")
    assert (await verify(auth, ticket, app.next_code())).status == 200


async def test_sign_in_first_code_is_spent_by_the_ticket(
    auth: AuthClient, clock: MovableClock
) -> None:
    await user_with_app(auth, clock, NUMBER)
    sent = await auth.request_code(NUMBER)
    code = await auth.code(NUMBER, 2)
    challenge = sent.body["challenge"]
    assert (await auth.enter_code(NUMBER, code, challenge)).code == "mfa_required"
    assert (await auth.enter_code(NUMBER, code, challenge)).code == "otp_invalid"


async def test_sign_in_of_browser_sets_no_cookie_before_the_factor(
    auth: AuthClient, clock: MovableClock
) -> None:
    app = await user_with_app(auth, clock, NUMBER)
    browser = Browser(auth.http)
    sent = await auth.request_code(NUMBER)
    body = {
        "phone_number": NUMBER,
        "otp": await auth.code(NUMBER, 2),
        "challenge": sent.body["challenge"],
        "transport": "cookie",
    }
    asked = await browser.call("POST", "/v1/auth/signup", json=body)
    assert asked.code == "mfa_required"
    assert cookies_set_by(asked) == {}
    body = {"mfa_ticket": asked.body["mfa_ticket"], "method": "totp", "otp": app.next_code()}
    path = "/v1/auth/mfa/verify"
    foreign = {"Origin": "https://evil.example"}
    stolen = await browser.call("POST", path, json={**body, "transport": "cookie"}, headers=foreign)
    assert (stolen.status, stolen.code) == (403, "csrf_failed")
    done = await browser.call("POST", path, json={**body, "transport": "cookie"})
    assert done.status == 200, done.body
    assert {ACCESS, REFRESH} <= set(cookies_set_by(done))
    assert "access_token" not in done.body


async def step_up(auth: AuthClient, token: str, **body: str) -> Answer:
    return await auth.call("POST", "/step-up", token=token, json=body)


async def test_step_up_with_factor_takes_nothing_less(
    auth: AuthClient, clock: MovableClock
) -> None:
    pair = await activate(auth, mobile=NUMBER, email=EMAIL, password=PASSWORD)
    app = await enrol(auth, clock, pair["access_token"])
    token = (await refresh(auth, pair))["access_token"]
    for body in ({}, {"password": PASSWORD}):
        refused = await step_up(auth, token, **body)
        assert (refused.status, refused.code) == (403, "mfa_required")
        assert refused.body["methods"] == ["totp", "recovery_code"]
        assert "mfa_ticket" not in refused.body
    _, mailed = await next_code(auth, NUMBER, "/login", mobile=NUMBER)
    refused = await step_up(auth, token, otp=mailed)
    assert (refused.status, refused.code) == (401, "mfa_invalid")
    clock.advance(minutes=6)
    fresh = await step_up(auth, token, otp=app.code())
    assert fresh.status == 200, fresh.body
    claims = unverified_claims(fresh.body["access_token"])
    assert claims["auth_time"] >= unverified_claims(token)["auth_time"] + 300
    assert claims["acr"] == "aal2"
    deleted = await auth.call("DELETE", "/me", token=fresh.body["access_token"])
    assert deleted.status == 204


async def test_step_up_code_that_signed_in_is_used(auth: AuthClient, clock: MovableClock) -> None:
    app = await user_with_app(auth, clock, NUMBER)
    code = app.next_code()
    done = await verify(auth, await ask_for_factor(auth, NUMBER), code)
    assert (await step_up(auth, done.body["access_token"], otp=code)).code == "mfa_invalid"


async def test_sensitive_change_in_a_session_without_the_factor_requires_it(
    auth: AuthClient, clock: MovableClock
) -> None:
    """A session from before the factor is recent, and has not proven it."""
    other, pair = await auth.sign_in(NUMBER), await auth.sign_in(NUMBER)
    app = await enrol(auth, clock, pair["access_token"])
    token = other["access_token"]
    for method, path in (("DELETE", f"/me/factors/{app.id}"), ("POST", "/me/factors/totp")):
        refused = await auth.call(method, path, token=token)
        assert (refused.status, refused.code) == (403, "step_up_required")
    fresh = await step_up(auth, token, otp=app.next_code())
    removed = await auth.call("DELETE", f"/me/factors/{app.id}", token=fresh.body["access_token"])
    assert removed.status == 204
