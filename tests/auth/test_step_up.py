"""Proving again who one is: what it takes, how long it counts, and what keeps it."""

from typing import Any

import jwt
import pytest

from tests.support.auth_client import Answer, AuthClient, wrong
from tests.support.browser import ACCESS, CSRF, cookies_set_by, sign_in
from tests.support.clock import MovableClock
from tests.support.database import Connection

NUMBER, OTHER = "+919876543210", "+919876543211"
NEW = {"email": "asha@example.com"}


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


async def change(auth: AuthClient, token: str) -> Answer:
    """Something that only a freshly proven user may do."""
    return await auth.call("PATCH", "/me", token=token, json=NEW)


async def step_up(auth: AuthClient, token: str, body: Any = None) -> Answer:
    return await auth.call("POST", "/step-up", token=token, json=body)


async def by_code(auth: AuthClient, token: str) -> str:
    """A fresh token."""
    before = len(await auth.codes(NUMBER))
    sent = await step_up(auth, token)
    assert (sent.status, sent.body["channel"]) == (202, "sms")
    body = {"otp": await auth.code(NUMBER, before + 1), "challenge": sent.body["challenge"]}
    answer = await step_up(auth, token, body)
    assert answer.status == 200, answer.body
    assert set(answer.body) == {"access_token", "expires_in"}
    return str(answer.body["access_token"])


async def test_recent_sign_in_older_than_five_minutes_requires_step_up(
    auth: AuthClient, clock: MovableClock
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    clock.advance(minutes=4, seconds=50)
    assert (await change(auth, token)).status == 202
    clock.advance(seconds=11)
    refused = await change(auth, token)
    assert (refused.status, refused.code) == (403, "step_up_required")
    assert (await auth.call("DELETE", "/me", token=token)).code == "step_up_required"
    assert (await auth.call("PATCH", "/me", token=token, json={"name": "Asha R"})).status == 200


async def test_step_up_by_code_returns_fresh_token_of_same_session(
    auth: AuthClient, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    clock.advance(minutes=6)
    fresh = await by_code(auth, pair["access_token"])
    before, after = claims(pair["access_token"]), claims(fresh)
    assert after["sid"] == before["sid"]
    assert after["auth_time"] >= before["auth_time"] + 360
    assert (await change(auth, fresh)).status == 202
    # the token from before still says when it was made
    assert (await change(auth, pair["access_token"])).code == "step_up_required"


async def test_refresh_keeps_time_of_step_up(auth: AuthClient, clock: MovableClock) -> None:
    pair = await auth.sign_in(NUMBER)
    clock.advance(minutes=6)
    body = {"refresh_token": pair["refresh_token"]}
    refreshed = (await auth.call("POST", "/refresh", json=body)).body
    assert (
        claims(refreshed["access_token"])["auth_time"] == claims(pair["access_token"])["auth_time"]
    )
    assert (await change(auth, refreshed["access_token"])).code == "step_up_required"
    fresh = await by_code(auth, refreshed["access_token"])
    body = {"refresh_token": refreshed["refresh_token"]}
    later = (await auth.call("POST", "/refresh", json=body)).body
    assert claims(later["access_token"])["auth_time"] == claims(fresh)["auth_time"]
    assert claims(later["access_token"])["amr"] == ["otp", "sms"]
    assert (await change(auth, later["access_token"])).status == 202
    clock.advance(minutes=6)
    assert (await change(auth, later["access_token"])).code == "step_up_required"


async def test_step_up_code_of_other_session_or_purpose_is_otp_invalid(auth: AuthClient) -> None:
    here, there = await auth.sign_in(NUMBER), await auth.sign_in(NUMBER)
    stranger = await auth.sign_in(OTHER)
    sent = await step_up(auth, here["access_token"])
    code = await auth.code(NUMBER, 3)
    body = {"otp": code, "challenge": sent.body["challenge"]}
    for token in (stranger["access_token"], there["access_token"]):
        assert (await step_up(auth, token, body)).code == "otp_invalid"
    await auth.request_code(NUMBER)
    code = await auth.code(NUMBER, 4)
    assert (await step_up(auth, here["access_token"], {"otp": code})).code == "otp_invalid"


async def test_step_up_wrong_proof_is_refused_and_audited(
    auth: AuthClient, auth_db: Connection
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    await step_up(auth, token)
    code = await auth.code(NUMBER, 2)
    assert (await step_up(auth, token, {"otp": wrong(code)})).code == "otp_invalid"
    refused = await step_up(auth, token, {"password": "none was ever set"})
    assert (refused.status, refused.code) == (403, "invalid_credentials")
    for body in ({"otp": code, "password": "x"}, {"otp": "12345"}, {"challenge": "0" * 32}):
        assert (await step_up(auth, token, body)).code == "validation_failed"
    assert (await step_up(auth, token, {"otp": code})).status == 200
    assert (await step_up(auth, token, {"otp": code})).code == "otp_invalid"
    events = "select outcome from audit_events where event = 'user.stepped_up' order by id"
    outcomes = [row["outcome"] for row in await auth_db.fetch(events)]
    assert outcomes == ["failure", "failure", "success", "failure"]


async def test_step_up_by_password_returns_fresh_token(
    auth: AuthClient, clock: MovableClock
) -> None:
    email, password = "asha@example.com", "correct horse battery"
    body = {"email": email, "password": password, "first_name": "Asha"}
    sent = await auth.call("POST", "/register", json=body)
    proof = {"email": email, "otp": await auth.code(email), "challenge": sent.body["challenge"]}
    pair = (await auth.call("POST", "/verify-otp", json=proof)).body
    clock.advance(minutes=6)
    token = pair["access_token"]
    mobile = {"mobile": NUMBER}
    refused = await auth.call("PATCH", "/me", token=token, json=mobile)
    assert refused.code == "step_up_required"
    assert (await step_up(auth, token, {"password": password + "x"})).code == "invalid_credentials"
    fresh = await step_up(auth, token, {"password": password})
    assert fresh.status == 200
    assert "pwd" in claims(fresh.body["access_token"])["amr"]
    token = fresh.body["access_token"]
    assert (await auth.call("PATCH", "/me", token=token, json=mobile)).status == 202


async def test_token_without_second_factor_has_lowest_assurance(auth: AuthClient) -> None:
    """A second code to the same number is no second factor."""
    pair = await auth.sign_in(NUMBER)
    refreshed = await auth.call("POST", "/refresh", json={"refresh_token": pair["refresh_token"]})
    fresh = await by_code(auth, pair["access_token"])
    for token in (pair["access_token"], refreshed.body["access_token"], fresh):
        assert claims(token)["acr"] == "aal1"


async def test_step_up_by_browser_sets_fresh_cookies(auth: AuthClient, clock: MovableClock) -> None:
    browser = await sign_in(auth, NUMBER)
    clock.advance(minutes=6)
    path, me = "/v1/auth/step-up", "/v1/auth/me"
    assert (await browser.call("PATCH", me, json=NEW)).code == "step_up_required"
    assert (await browser.call("POST", path)).status == 202
    body = {"otp": await auth.code(NUMBER, 2)}
    answer = await browser.call("POST", path, json=body)
    assert (answer.status, set(answer.body)) == (200, {"expires_in"})
    assert set(cookies_set_by(answer)) == {ACCESS, CSRF}
    assert (await browser.call("PATCH", me, json=NEW)).status == 202
    assert (await browser.call("POST", "/v1/auth/refresh")).status == 200


@pytest.mark.parametrize("statement", ["update users set generation = 7", "delete from users"])
async def test_step_up_user_revoked_meanwhile_is_token_revoked(
    auth: AuthClient, auth_db: Connection, statement: str
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    await step_up(auth, token)
    code = await auth.code(NUMBER, 2)
    await auth_db.execute(statement)
    assert (await step_up(auth, token, {"otp": code})).code == "token_revoked"
