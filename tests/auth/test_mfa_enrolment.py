"""Roles that demand a second factor: their users add one before anything else works."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.support.accounts import PASSWORD, activate, next_code, post
from tests.support.auth_client import Answer, AuthClient, wrong
from tests.support.authenticator import Authenticator, ask_for_factor, first_step, verify
from tests.support.browser import ACCESS, Browser, cookies_set_by, sign_in
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.tokens import unverified_claims

NUMBER, OTHER, EMAIL = "+919876543210", "+919876543211", "asha@example.com"
SESSIONS = "select count(*) from sessions"


@pytest.fixture
async def strict(serving_auth: Callable[..., Any]) -> AsyncIterator[AuthClient]:
    """auth_service where editors and administrators need a second factor."""
    async with serving_auth(mfa_required_roles="admin,editor") as client:
        yield client


async def make_editor(auth: AuthClient, db: Connection) -> dict[str, Any]:
    pair = await activate(auth, mobile=NUMBER, email=EMAIL, password=PASSWORD)
    await db.execute("update users set roles = '{editor}', email_verified = true")
    return pair


async def ticket_by_code(auth: AuthClient, **options: Any) -> str:
    answer = await first_step(auth, NUMBER, **options)
    assert (answer.status, answer.code) == (403, "mfa_enrolment_required")
    assert "channel" not in answer.body
    assert answer.body["expires_in"] == 600
    return str(answer.body["mfa_ticket"])


async def by_password(auth: AuthClient) -> tuple[str, str]:
    """The ticket of a sign-in by password, and the code that was sent with it."""
    before = len(await auth.codes(NUMBER))
    answer = await post(auth, "/login", email=EMAIL, password=PASSWORD)
    assert (answer.status, answer.code) == (403, "mfa_enrolment_required")
    assert answer.body["channel"] == "sms"
    return answer.body["mfa_ticket"], await auth.code(NUMBER, before + 1)


async def begin(auth: AuthClient, ticket: str, **more: str) -> Answer:
    return await post(auth, "/me/factors/totp", mfa_ticket=ticket, **more)


async def confirm(auth: AuthClient, ticket: str, id_: str, code: str, **more: str) -> Answer:
    path = f"/me/factors/totp/{id_}/confirm"
    return await post(auth, path, mfa_ticket=ticket, otp=code, **more)


async def pending(auth: AuthClient, clock: MovableClock, ticket: str, **more: str) -> Authenticator:
    answer = await begin(auth, ticket, **more)
    assert answer.status == 201, answer.body
    return Authenticator(answer.body["id"], answer.body["secret"], clock)


async def test_role_that_demands_a_factor_enrols_and_signs_in(
    strict: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    await make_editor(strict, auth_db)
    before = await auth_db.fetchval(SESSIONS)
    ticket = await ticket_by_code(strict)
    app = await pending(strict, clock, ticket)
    assert await auth_db.fetchval(SESSIONS) == before
    done = await confirm(strict, ticket, app.id, app.code())
    assert done.status == 200, done.body
    assert done.body["factor"]["id"] == app.id
    assert len(done.body["recovery_codes"]) == 10
    claims = unverified_claims(done.body["access_token"])
    assert (claims["acr"], claims["roles"]) == ("aal2", ["editor"])
    assert (await strict.call("GET", "/me", token=done.body["access_token"])).status == 200
    body = {"refresh_token": done.body["refresh_token"]}
    assert (await strict.call("POST", "/refresh", json=body)).status == 200
    again = await verify(strict, await ask_for_factor(strict, NUMBER), app.next_code())
    assert again.status == 200
    event = await auth_db.fetch("select * from audit_events where event = 'factor.added'")
    assert [one["outcome"] for one in event] == ["success"]


async def test_password_alone_enrols_no_factor(
    strict: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    await make_editor(strict, auth_db)
    ticket, code = await by_password(strict)
    for otp in ({}, {"otp": wrong(code)}):
        refused = await begin(strict, ticket, **otp)
        assert (refused.status, refused.code) == (401, "otp_invalid")
    app = await pending(strict, clock, ticket, otp=code)
    assert (await begin(strict, ticket)).status == 201  # the ticket has proven it
    app = await pending(strict, clock, ticket)
    done = await confirm(strict, ticket, app.id, app.code())
    assert unverified_claims(done.body["access_token"])["amr"] == ["pwd", "otp", "sms", "mfa"]


async def test_password_ticket_confirms_no_factor_before_its_code(
    strict: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    """The pending factor was begun by a ticket whose code had come."""
    await make_editor(strict, auth_db)
    app = await pending(strict, clock, await ticket_by_code(strict))
    stolen, _ = await by_password(strict)
    refused = await confirm(strict, stolen, app.id, app.code())
    assert (refused.status, refused.code) == (401, "mfa_ticket_invalid")


async def test_code_of_one_enrolment_ticket_is_of_no_use_to_another(
    strict: AuthClient, auth_db: Connection
) -> None:
    await make_editor(strict, auth_db)
    stolen, _ = await by_password(strict)
    _, code = await by_password(strict)
    assert (await begin(strict, stolen, otp=code)).code == "otp_invalid"


async def test_enrolment_ticket_does_nothing_else(
    strict: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    await make_editor(strict, auth_db)
    ticket = await ticket_by_code(strict)
    assert (await verify(strict, ticket, "123456")).code == "mfa_ticket_invalid"
    for method, path in (("GET", "/me"), ("GET", "/me/factors"), ("POST", "/me/recovery-codes")):
        assert (await strict.call(method, path, token=ticket)).code == "token_invalid"
    body = {"reset_ticket": ticket, "new_password": "another correct horse"}
    assert (await post(strict, "/reset-password", **body)).code == "otp_invalid"


async def test_enrolment_ticket_used_expired_or_of_another_device_is_refused(
    strict: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    device = (await make_editor(strict, auth_db))["device"]
    bound = await ticket_by_code(strict, device=device)
    assert (await begin(strict, bound)).code == "mfa_ticket_invalid"
    assert (await begin(strict, bound, device=device)).status == 201
    expiring = await ticket_by_code(strict)
    clock.advance(minutes=10)
    for ticket in (expiring, "cht_", "garbage"):
        assert (await begin(strict, ticket)).code == "mfa_ticket_invalid"
    ticket, other = await ticket_by_code(strict), await ticket_by_code(strict)
    app = await pending(strict, clock, ticket)
    assert (await confirm(strict, ticket, app.id, app.code())).status == 200
    for used in (ticket, other):  # the user has a factor by now
        assert (await begin(strict, used)).code == "mfa_ticket_invalid"
        refused = await confirm(strict, used, app.id, app.code())
        assert (refused.status, refused.code) == (401, "mfa_ticket_invalid")


async def test_enrolment_wrong_code_or_foreign_factor_is_refused(
    strict: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    await make_editor(strict, auth_db)
    ticket = await ticket_by_code(strict)
    app = await pending(strict, clock, ticket)
    refused = await confirm(strict, ticket, app.id, app.wrong())
    assert (refused.status, refused.code) == (401, "mfa_invalid")
    unknown = "01980000-0000-7000-8000-000000000001"
    assert (await confirm(strict, ticket, unknown, app.code())).code == "not_found"
    assert (await confirm(strict, ticket, app.id, app.code())).status == 200


async def test_enrolment_by_browser_sets_cookies_at_its_end(
    strict: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    """Cookies of a session that has ended do not stand in the way."""
    await make_editor(strict, auth_db)
    ticket = await ticket_by_code(strict)
    app = await pending(strict, clock, ticket)
    browser = Browser(strict.http, {ACCESS: "old"})
    body = {"mfa_ticket": ticket, "otp": app.code(), "transport": "cookie"}
    path = f"/v1/auth/me/factors/totp/{app.id}/confirm"
    foreign = await browser.call(
        "POST", path, json=body, headers={"Origin": "https://evil.example"}
    )
    assert (foreign.status, foreign.code) == (403, "csrf_failed")
    done = await browser.call("POST", path, json=body)
    assert done.status == 200, done.body
    assert ACCESS in cookies_set_by(done)
    assert "access_token" not in done.body
    assert len(done.body["recovery_codes"]) == 10


async def test_session_without_the_factor_ends_at_its_next_refresh(
    strict: AuthClient, auth_db: Connection
) -> None:
    """The role was given, or the factor removed, after the sign-in."""
    pair = await make_editor(strict, auth_db)
    answer = await strict.call("POST", "/refresh", json={"refresh_token": pair["refresh_token"]})
    assert (answer.status, answer.code) == (401, "refresh_invalid")


async def test_user_without_such_a_role_needs_no_factor(strict: AuthClient) -> None:
    assert "access_token" in await strict.sign_in(NUMBER)


async def test_activation_of_an_address_with_such_an_owner_issues_no_token(
    strict: AuthClient, auth_db: Connection
) -> None:
    registered = await post(strict, "/register", mobile=NUMBER)
    code = await strict.code(NUMBER)
    await strict.sign_in(NUMBER)
    await auth_db.execute("update users set roles = '{admin}' where status = 'active'")
    body = {"mobile": NUMBER, "otp": code, "challenge": registered.body["challenge"]}
    answer = await post(strict, "/verify-otp", **body)
    assert (answer.status, answer.code) == (403, "mfa_enrolment_required")


async def test_enrolment_code_has_the_limits_of_codes(
    serving_auth: Callable[..., Any], auth_db: Connection, clock: MovableClock
) -> None:
    settings = {"mfa_required_roles": "editor", "limit_wrong_per_destination": "2/hour"}
    async with serving_auth(**settings) as auth:
        await make_editor(auth, auth_db)
        ticket, code = await by_password(auth)
        for _ in range(2):
            assert (await begin(auth, ticket, otp=wrong(code))).code == "otp_invalid"
        refused = await begin(auth, ticket, otp=wrong(code))
        assert (refused.status, refused.code) == (429, "rate_limited")


async def test_enrolment_code_counts_whatever_others_guess_and_ask_for(
    serving_auth: Callable[..., Any], auth_db: Connection, clock: MovableClock
) -> None:
    """Wrong codes without a handle fill a limit of the owner's number, which everybody shares."""
    settings = {"mfa_required_roles": "editor", "limit_wrong_per_destination": "2/hour"}
    async with serving_auth(**settings) as auth:
        await make_editor(auth, auth_db)
        ticket, code = await by_password(auth)
        _, login_code = await next_code(auth, NUMBER, "/login", mobile=NUMBER)
        guesses = [
            await post(auth, "/login", mobile=NUMBER, otp=wrong(login_code)) for _ in range(3)
        ]
        assert [guess.status for guess in guesses] == [401, 401, 429]
        newer, newer_code = await by_password(auth)
        await pending(auth, clock, ticket, otp=code)
        await pending(auth, clock, newer, otp=newer_code)


async def test_ticket_beside_a_session_is_the_one_that_counts(
    strict: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    """The browser has cookies of another account, which gets no factor."""
    await make_editor(strict, auth_db)
    ticket = await ticket_by_code(strict)
    browser = await sign_in(strict, OTHER)
    path, body = "/v1/auth/me/factors/totp", {"mfa_ticket": ticket}
    begun = await browser.call("POST", path, json=body, headers={"X-CSRF-Token": None})
    assert begun.status == 201, begun.body
    app = Authenticator(begun.body["id"], begun.body["secret"], clock)
    token = (await strict.sign_in(OTHER))["access_token"]
    confirming = f"/me/factors/totp/{app.id}/confirm"
    body["otp"] = app.code()
    done = await strict.call("POST", confirming, json=body, token=token)
    assert done.body["user"]["phone_number"] == NUMBER
    listed = await strict.call("GET", "/me/factors", token=token)
    assert listed.body["items"] == []


async def test_ticket_beside_a_session_that_is_invalid_is_refused(
    auth: AuthClient, auth_db: Connection
) -> None:
    """The client means the ticket, so that no other account gets the factor."""
    token = (await auth.sign_in(NUMBER))["access_token"]
    refused = await auth.call("POST", "/me/factors/totp", token=token, json={"mfa_ticket": "cht_"})
    assert (refused.status, refused.code) == (401, "mfa_ticket_invalid")
    assert await auth_db.fetchval("select count(*) from factors") == 0
