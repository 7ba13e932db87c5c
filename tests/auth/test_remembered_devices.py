"""Devices that sign in without the second factor for some days."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support.accounts import PASSWORD, activate, next_code
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
from tests.support.browser import Browser
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.tokens import unverified_claims
from tests.support.waiting import until

NUMBER, OTHER, EMAIL = "+919876543210", "+919876543211", "asha@example.com"
WAITING = """
select count(*) from pg_stat_activity
where wait_event_type = 'Lock' and datname = current_database()"""


async def remembered(auth: AuthClient, app: Authenticator) -> dict[str, Any]:
    """The token pair of a sign-in that asked to be remembered."""
    ticket = await ask_for_factor(auth, NUMBER)
    done = await verify(auth, ticket, app.next_code(), remember_device=True)
    assert done.status == 200, done.body
    pair: dict[str, Any] = done.body
    return pair


async def code_of(auth: AuthClient, device: str) -> str:
    """What the first step of a sign-in answers on the device: the problem's code, or ""."""
    answer = await first_step(auth, NUMBER, device=device)
    return "" if answer.status == 200 else answer.code


async def waiting(db: Connection, count: int) -> bool:
    """Whether so many statements wait for locks, as seen in a transaction of the test."""
    await db.execute("select pg_stat_clear_snapshot()")
    return bool(await db.fetchval(WAITING) == count)


async def administrator(auth: AuthClient, db: Connection) -> str:
    user_id = UUID((await auth.sign_in(OTHER))["user"]["id"])
    await db.execute("update users set roles = '{admin}' where id = $1", user_id)
    return str((await auth.sign_in(OTHER))["access_token"])


async def devices(auth: AuthClient, token: str) -> list[dict[str, Any]]:
    listed = await auth.call("GET", "/me/factors", token=token)
    found: list[dict[str, Any]] = listed.body["remembered_devices"]
    return found


async def test_remembered_device_signs_in_without_factor_for_thirty_days(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await remembered(auth, await user_with_app(auth, clock, NUMBER))
    answer = await first_step(auth, NUMBER, device=pair["device"])
    assert answer.status == 200
    claims = unverified_claims(answer.body["access_token"])
    assert (claims["amr"], claims["acr"]) == (["otp", "sms"], "aal1")
    assert len(await devices(auth, answer.body["access_token"])) == 1
    export = (await auth.call("GET", "/me/export", token=pair["access_token"])).body
    assert export["remembered_devices"] == await devices(auth, pair["access_token"])
    assert (await first_step(auth, NUMBER)).code == "mfa_required"
    clock.advance(days=30)
    assert await code_of(auth, pair["device"]) == "mfa_required"
    events = await auth_db.fetch("select * from audit_events where event = 'device.remembered'")
    assert len(events) == 1


async def test_remembered_device_still_steps_up_by_the_factor(
    auth: AuthClient, clock: MovableClock
) -> None:
    app = await user_with_app(auth, clock, NUMBER)
    pair = await remembered(auth, app)
    token = (await first_step(auth, NUMBER, device=pair["device"])).body["access_token"]
    refused = await auth.call("POST", "/me/factors/totp", token=token)
    assert (refused.status, refused.code) == (403, "step_up_required")
    assert (await auth.call("POST", "/step-up", token=token)).code == "mfa_required"
    done = await auth.call("POST", "/step-up", token=token, json={"otp": app.next_code()})
    assert done.status == 200


async def test_remembered_device_guesses_twenty_codes_a_day_in_all_its_sessions(
    auth: AuthClient, clock: MovableClock
) -> None:
    """Each sign-in of the device makes a session, and each asks for the factor by step-up."""
    app = await user_with_app(auth, clock, NUMBER)
    device = (await remembered(auth, app))["device"]
    first, second = [
        (await first_step(auth, NUMBER, device=device)).body["access_token"] for _ in range(2)
    ]
    for _ in range(20):
        wrong = await auth.call("POST", "/step-up", token=first, json={"otp": app.wrong()})
        assert wrong.code == "mfa_invalid"
    code = {"otp": app.next_code()}
    refused = await auth.call("POST", "/step-up", token=second, json=code)
    assert (refused.status, refused.code) == (429, "rate_limited")
    elsewhere = await verify(auth, await ask_for_factor(auth, NUMBER), app.code())
    assert elsewhere.status == 200


async def test_remembered_device_cookie_is_no_use_to_a_script_of_its_page(
    auth: AuthClient, clock: MovableClock
) -> None:
    """A sign-in whose tokens scripts can read tells them of no device that a cookie names."""
    app = await user_with_app(auth, clock, NUMBER)
    browser = Browser(auth.http)
    ticket = await ask_for_factor(auth, NUMBER)
    proof = {"mfa_ticket": ticket, "method": "totp", "otp": app.next_code()}
    body = proof | {"transport": "cookie", "remember_device": True}
    assert (await browser.call("POST", "/v1/auth/mfa/verify", json=body)).status == 200

    async def sign_in(number: str, transport: str) -> Answer:
        _, code = await next_code(auth, number, "/signup", phone_number=number, name="Asha")
        body = {"phone_number": number, "otp": code, "transport": transport}
        return await browser.call("POST", "/v1/auth/signup", json=body)

    assert (await sign_in(NUMBER, "body")).code == "mfa_required"
    stolen = (await sign_in(OTHER, "body")).body
    for pair in (stolen, await refresh(auth, stolen)):
        assert await code_of(auth, pair["device"]) == "mfa_required"
    assert (await sign_in(NUMBER, "cookie")).status == 200


async def test_device_that_was_not_remembered_is_asked(
    auth: AuthClient, clock: MovableClock
) -> None:
    app = await user_with_app(auth, clock, NUMBER)
    done = await verify(auth, await ask_for_factor(auth, NUMBER), app.next_code())
    assert await code_of(auth, done.body["device"]) == "mfa_required"


async def test_remembered_device_of_another_user_is_asked(
    auth: AuthClient, clock: MovableClock
) -> None:
    pair = await remembered(auth, await user_with_app(auth, clock, NUMBER))
    await user_with_app(auth, clock, OTHER)
    assert (await first_step(auth, OTHER, device=pair["device"])).code == "mfa_required"


@pytest.mark.parametrize("by_id", [True, False])
async def test_remembered_device_forgotten_is_asked_again(
    auth: AuthClient, clock: MovableClock, by_id: bool
) -> None:
    pair = await remembered(auth, await user_with_app(auth, clock, NUMBER))
    token = pair["access_token"]
    [device] = await devices(auth, token)
    path = "/me/remembered-devices" + (f"/{device['id']}" if by_id else "")
    assert (await auth.call("DELETE", path, token=token)).status == 204
    assert await devices(auth, token) == []
    assert await code_of(auth, pair["device"]) == "mfa_required"


async def test_remembered_device_of_another_user_is_404(
    auth: AuthClient, clock: MovableClock
) -> None:
    pair = await remembered(auth, await user_with_app(auth, clock, NUMBER))
    [device] = await devices(auth, pair["access_token"])
    other = (await auth.sign_in(OTHER))["access_token"]
    for id_ in (device["id"], uuid4()):
        answer = await auth.call("DELETE", f"/me/remembered-devices/{id_}", token=other)
        assert (answer.status, answer.code) == (404, "not_found")
    assert (await auth.call("DELETE", "/me/remembered-devices", token=other)).status == 204
    assert len(await devices(auth, pair["access_token"])) == 1


@pytest.mark.parametrize("body", [{}, {"except_current": True}])
async def test_remembered_devices_end_with_the_users_other_sessions(
    auth: AuthClient, clock: MovableClock, body: dict[str, bool]
) -> None:
    pair = await remembered(auth, await user_with_app(auth, clock, NUMBER))
    token = pair["access_token"]
    assert (await auth.call("POST", "/logout-all", token=token, json=body)).status == 204
    assert await code_of(auth, pair["device"]) == "mfa_required"


@pytest.mark.parametrize("how", ["logout all", "logout others", "new password", "disable"])
async def test_device_remembered_while_the_users_access_ends_is_asked(
    auth: AuthClient, auth_db: Connection, clock: MovableClock, how: str
) -> None:
    """The sign-in waits first, and the replica that ends the access has the slower clock."""
    pair = await activate(auth, mobile=NUMBER, email=EMAIL, password=PASSWORD)
    app = await enrol(auth, clock, pair["access_token"])
    admin = await administrator(auth, auth_db)
    ticket, code = await ask_for_factor(auth, NUMBER), app.next_code()
    user_path = f"/admin/users/{pair['user']['id']}"
    calls: dict[str, tuple[str, dict[str, Any], str]] = {
        "logout all": ("/logout-all", {}, pair["access_token"]),
        "logout others": ("/logout-all", {"except_current": True}, pair["access_token"]),
        "new password": (
            "/change-password",
            {"current_password": PASSWORD, "new_password": "another correct horse"},
            pair["access_token"],
        ),
        "disable": (f"{user_path}/disable", {}, admin),
    }
    path, body, token = calls[how]
    async with auth_db.transaction():
        await auth_db.execute("select 1 from users for no key update")
        signing_in = asyncio.ensure_future(verify(auth, ticket, code, remember_device=True))
        await until(lambda: waiting(auth_db, 1))
        ending = asyncio.ensure_future(auth.call("POST", path, token=token, json=body))
        await until(lambda: waiting(auth_db, 2))
        clock.advance(seconds=1)
    done = await signing_in
    assert done.status == 200, done.body
    assert (await ending).status in {200, 204}
    if how == "disable":
        assert (await auth.call("POST", f"{user_path}/enable", token=admin)).status == 200
    assert await code_of(auth, done.body["device"]) == "mfa_required"


async def session_of(auth: AuthClient, token: str) -> str:
    listed = await auth.call("GET", "/sessions", token=token)
    [current] = [item["id"] for item in listed.body["items"] if item["current"]]
    return str(current)


async def test_remembered_device_whose_session_the_user_ends_is_asked(
    auth: AuthClient, clock: MovableClock
) -> None:
    """The laptop was lost; the other one stays remembered."""
    app = await user_with_app(auth, clock, NUMBER)
    lost, kept = await remembered(auth, app), await remembered(auth, app)
    token = kept["access_token"]
    path = f"/sessions/{await session_of(auth, lost['access_token'])}"
    assert (await auth.call("DELETE", path, token=token)).status == 204
    assert await code_of(auth, lost["device"]) == "mfa_required"
    assert await code_of(auth, kept["device"]) == ""


@pytest.mark.parametrize("path", ["/logout", "/sessions/current"])
async def test_remembered_device_stays_when_it_signs_itself_out(
    auth: AuthClient, clock: MovableClock, path: str
) -> None:
    pair = await remembered(auth, await user_with_app(auth, clock, NUMBER))
    token = pair["access_token"]
    path = path.replace("current", await session_of(auth, token))
    method = "POST" if path == "/logout" else "DELETE"
    assert (await auth.call(method, path, token=token)).status == 204
    assert await code_of(auth, pair["device"]) == ""


async def test_session_of_another_user_leaves_its_device_remembered(
    auth: AuthClient, clock: MovableClock
) -> None:
    pair = await remembered(auth, await user_with_app(auth, clock, NUMBER))
    path = f"/sessions/{await session_of(auth, pair['access_token'])}"
    other = (await first_step(auth, OTHER, device=pair["device"])).body["access_token"]
    assert (await auth.call("DELETE", path, token=other)).status == 404
    assert await code_of(auth, pair["device"]) == ""


async def test_remembered_devices_end_when_a_role_is_given(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await remembered(auth, await user_with_app(auth, clock, NUMBER))
    admin = await administrator(auth, auth_db)
    path = f"/admin/users/{pair['user']['id']}/roles"
    for roles, code in (([], ""), (["editor"], "mfa_required")):  # the first changes nothing
        done = await auth.call("PUT", path, token=admin, json={"roles": roles})
        assert done.status == 200, done.body
        assert await code_of(auth, pair["device"]) == code


async def test_remembered_devices_end_with_the_last_factor(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    app = await enrol(auth, clock, pair["access_token"])
    device = (await remembered(auth, app))["device"]
    token = (await refresh(auth, pair))["access_token"]
    assert (await auth.call("DELETE", f"/me/factors/{app.id}", token=token)).status == 204
    assert await auth_db.fetchval("select count(*) from remembered_devices") == 0
    await enrol(auth, clock, (await auth.sign_in(NUMBER))["access_token"])
    assert await code_of(auth, device) == "mfa_required"


async def test_sign_in_while_its_device_is_forgotten_is_asked(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await remembered(auth, await user_with_app(auth, clock, NUMBER))
    async with auth_db.transaction():
        await auth_db.execute("select 1 from users for no key update")
        await auth_db.execute("delete from remembered_devices")
        signing_in = asyncio.ensure_future(code_of(auth, pair["device"]))
        await until(lambda: waiting(auth_db, 1))
    assert await signing_in == "mfa_required"


async def test_remembered_devices_switched_off_are_asked(
    serving_auth: Callable[..., Any], auth_db: Connection, clock: MovableClock
) -> None:
    async with serving_auth() as auth:
        app = await user_with_app(auth, clock, NUMBER)
        device = (await remembered(auth, app))["device"]
    async with serving_auth(mfa_remember_days=0) as auth:
        assert await code_of(auth, device) == "mfa_required"
        await auth_db.execute("delete from remembered_devices")
        await remembered(auth, app)
        assert await auth_db.fetchval("select count(*) from remembered_devices") == 0
