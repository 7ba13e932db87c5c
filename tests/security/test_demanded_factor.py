"""Roles that demand a second factor: each session has to have proven one, not its user alone."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import pytest

from tests.support.accounts import PASSWORD, activate, post
from tests.support.auth_client import Answer, AuthClient
from tests.support.authenticator import (
    Authenticator,
    ask_for_factor,
    enrol,
    first_step,
    refresh,
    user_with_app,
    verify,
)
from tests.support.browser import sign_in
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.tokens import unverified_claims

NUMBER, ADMIN = "+919876543210", "+919876543211"
EMAIL = "asha@example.com"


@pytest.fixture
async def strict(serving_auth: Callable[..., Any]) -> AsyncIterator[AuthClient]:
    """auth_service where editors need a second factor."""
    async with serving_auth(mfa_required_roles="editor") as client:
        yield client


async def make_editor(db: Connection) -> None:
    await db.execute("update users set roles = '{editor}'")


async def try_refresh(auth: AuthClient, pair: dict[str, Any]) -> Answer:
    return await auth.call("POST", "/refresh", json={"refresh_token": pair["refresh_token"]})


async def require_ended(auth: AuthClient, pair: dict[str, Any]) -> None:
    answer = await try_refresh(auth, pair)
    assert (answer.status, answer.code) == (401, "refresh_invalid")
    assert "Set-Cookie" not in answer.headers


async def enrol_by_ticket(auth: AuthClient, clock: MovableClock) -> Authenticator:
    """The app of a user whose role demands one, added in a new sign-in."""
    asked = await first_step(auth, NUMBER)
    assert asked.code == "mfa_enrolment_required"
    ticket = {"mfa_ticket": asked.body["mfa_ticket"]}
    begun = (await post(auth, "/me/factors/totp", **ticket)).body
    app = Authenticator(begun["id"], begun["secret"], clock)
    path = f"/me/factors/totp/{app.id}/confirm"
    done = await post(auth, path, otp=app.code(), **ticket)
    assert done.status == 200, done.body
    return app


async def proven(auth: AuthClient, app: Authenticator, **more: Any) -> dict[str, Any]:
    """The token pair of a sign-in by both factors."""
    done = await verify(auth, await ask_for_factor(auth, NUMBER), app.next_code(), **more)
    assert done.status == 200, done.body
    pair: dict[str, Any] = done.body
    return pair


# ------------------------------------------------------------------ sessions older than the demand


async def test_session_without_the_factor_stays_ended_once_its_user_has_enrolled(
    strict: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    stolen = await strict.sign_in(NUMBER)
    await make_editor(auth_db)
    await require_ended(strict, stolen)
    app = await enrol_by_ticket(strict, clock)
    await require_ended(strict, stolen)
    assert (await try_refresh(strict, await proven(strict, app))).status == 200


async def test_session_older_than_the_factor_ends_when_the_role_is_given(
    strict: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    stolen, own = await strict.sign_in(NUMBER), await strict.sign_in(NUMBER)
    await enrol(strict, clock, own["access_token"])
    stolen = await refresh(strict, stolen)  # no role demands the factor yet
    await make_editor(auth_db)
    await require_ended(strict, stolen)
    renewed = unverified_claims((await refresh(strict, own))["access_token"])
    assert (renewed["acr"], renewed["roles"]) == ("aal2", ["editor"])


async def test_browser_session_without_the_factor_ends_when_the_role_is_given(
    strict: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    browser = await sign_in(strict, NUMBER)
    await enrol(strict, clock, (await strict.sign_in(NUMBER))["access_token"])
    await make_editor(auth_db)
    refused = await browser.call("POST", "/v1/auth/refresh")
    assert (refused.status, refused.code) == (401, "refresh_invalid")


async def test_refresh_repeated_after_a_lost_answer_gets_no_token_without_the_factor(
    strict: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    stolen = await strict.sign_in(NUMBER)
    lost = await refresh(strict, stolen)
    await enrol(strict, clock, (await strict.sign_in(NUMBER))["access_token"])
    await make_editor(auth_db)
    await require_ended(strict, stolen)
    await require_ended(strict, lost)


async def test_reuse_of_a_refresh_token_without_the_factor_revokes_the_session(
    strict: AuthClient, auth_db: Connection
) -> None:
    """It would count again without the role."""
    first = await strict.sign_in(NUMBER)
    last = await refresh(strict, await refresh(strict, first))
    await make_editor(auth_db)
    await require_ended(strict, last)
    assert (await try_refresh(strict, first)).code == "refresh_reused"
    await auth_db.execute("update users set roles = '{}'")
    await require_ended(strict, last)


async def test_session_without_the_factor_goes_on_when_the_role_is_taken_away(
    strict: AuthClient, auth_db: Connection
) -> None:
    pair = await strict.sign_in(NUMBER)
    await make_editor(auth_db)
    await require_ended(strict, pair)
    await auth_db.execute("update users set roles = '{}'")
    assert (await try_refresh(strict, pair)).status == 200


async def test_setting_that_is_new_ends_the_sessions_that_have_not_proven_a_factor(
    serving_auth: Callable[..., Any], auth_db: Connection, clock: MovableClock
) -> None:
    async with serving_auth() as auth:
        stolen = await auth.sign_in(NUMBER)
        pair = await proven(auth, await user_with_app(auth, clock, NUMBER))
        await make_editor(auth_db)
        stolen = await refresh(auth, stolen)
    async with serving_auth(mfa_required_roles="admin,editor") as strict:
        await require_ended(strict, stolen)
        assert (await try_refresh(strict, pair)).status == 200


# ------------------------------------------------------------------ remembered devices


async def test_session_of_a_remembered_device_goes_on_until_it_is_forgotten(
    strict: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await proven(strict, await user_with_app(strict, clock, NUMBER), remember_device=True)
    await make_editor(auth_db)
    short = (await first_step(strict, NUMBER, device=pair["device"])).body
    short = await refresh(strict, short)
    claims = unverified_claims(short["access_token"])
    assert (claims["acr"], claims["roles"]) == ("aal1", ["editor"])
    token = pair["access_token"]
    assert (await strict.call("DELETE", "/me/remembered-devices", token=token)).status == 204
    await require_ended(strict, short)
    assert (await try_refresh(strict, pair)).status == 200


async def test_session_of_a_remembered_device_ends_with_the_remembrance(
    serving_auth: Callable[..., Any], auth_db: Connection, clock: MovableClock
) -> None:
    demands = {"mfa_required_roles": "editor", "session_idle_ttl": 30 * 86_400}
    async with serving_auth(**demands) as strict:
        app = await user_with_app(strict, clock, NUMBER)
        device = (await proven(strict, app, remember_device=True))["device"]
        await make_editor(auth_db)
        clock.advance(days=20)
        short = (await first_step(strict, NUMBER, device=device)).body
        assert (await try_refresh(strict, short)).status == 200
    async with serving_auth(**demands, mfa_remember_days=0) as strict:
        await require_ended(strict, short)
    async with serving_auth(**demands) as strict:
        short = await refresh(strict, short)
        clock.advance(days=10)
        await require_ended(strict, short)


async def test_device_remembered_for_another_user_keeps_no_session(
    strict: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    """Both use one browser."""
    pair = await proven(strict, await user_with_app(strict, clock, NUMBER), remember_device=True)
    other = (await first_step(strict, ADMIN, device=pair["device"])).body
    await make_editor(auth_db)
    await require_ended(strict, other)


# ------------------------------------------------------------------ factors that are removed


async def test_removing_one_of_two_factors_ends_sessions_that_do_not_step_up(
    strict: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await strict.sign_in(NUMBER)
    first = await enrol(strict, clock, pair["access_token"])
    pair = await refresh(strict, pair)
    app = await enrol(strict, clock, pair["access_token"])
    await make_editor(auth_db)
    other = await proven(strict, app)
    token = other["access_token"]
    assert (await strict.call("DELETE", f"/me/factors/{first.id}", token=token)).status == 204
    fresh = await strict.call("POST", "/step-up", token=token, json={"otp": app.next_code()})
    assert unverified_claims(fresh.body["access_token"])["acr"] == "aal2"
    assert (await try_refresh(strict, other)).status == 200
    await require_ended(strict, pair)
    assert (await try_refresh(strict, await proven(strict, app))).status == 200


async def test_session_ended_by_a_reset_stays_ended_once_its_user_has_enrolled(
    serving_auth: Callable[..., Any], auth_db: Connection, clock: MovableClock
) -> None:
    async with serving_auth(mfa_required_roles="editor") as strict:
        stolen = await proven(strict, await user_with_app(strict, clock, NUMBER))
        await make_editor(auth_db)
        admin = UUID((await strict.sign_in(ADMIN))["user"]["id"])
        await auth_db.execute("update users set roles = '{admin}' where id = $1", admin)
        token = (await strict.sign_in(ADMIN))["access_token"]
        path = f"/admin/users/{stolen['user']['id']}/reset-factors"
        done = await strict.call("POST", path, token=token, json={"reason": "lost the phone"})
        assert done.status == 204
        await require_ended(strict, stolen)
        await enrol_by_ticket(strict, clock)
        await require_ended(strict, stolen)


# ------------------------------------------------------------------ step-up


@pytest.mark.parametrize("by", ["password", "code"])
async def test_step_up_without_the_demanded_factor_issues_no_token(
    strict: AuthClient, auth_db: Connection, by: str
) -> None:
    """Else step-ups would replace refreshes for as long as the session lives."""
    pair = await activate(strict, mobile=NUMBER, email=EMAIL, password=PASSWORD)
    token = pair["access_token"]
    await make_editor(auth_db)
    body = {"password": PASSWORD}
    if by == "code":
        assert (await strict.call("POST", "/step-up", token=token)).status == 202
        body = {"otp": await strict.code(NUMBER, 2)}
    refused = await strict.call("POST", "/step-up", token=token, json=body)
    assert (refused.status, refused.code) == (401, "token_revoked")
    await require_ended(strict, pair)


async def test_step_up_by_the_factor_keeps_a_session_that_is_older_than_the_demand(
    strict: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    other, pair = await strict.sign_in(NUMBER), await strict.sign_in(NUMBER)
    app = await enrol(strict, clock, pair["access_token"])
    await make_editor(auth_db)
    code = {"otp": app.next_code()}
    fresh = await strict.call("POST", "/step-up", token=other["access_token"], json=code)
    assert unverified_claims(fresh.body["access_token"])["acr"] == "aal2"
    assert (await try_refresh(strict, other)).status == 200
