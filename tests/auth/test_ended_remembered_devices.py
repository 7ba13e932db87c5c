"""What ends the remembrance of a device, and what leaves it."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.auth.remembered_devices import (
    EMAIL,
    NUMBER,
    OTHER,
    administrator,
    code_of,
    devices,
    remembered,
)
from tests.support.accounts import PASSWORD, activate
from tests.support.auth_client import AuthClient
from tests.support.authenticator import (
    ask_for_factor,
    enrol,
    first_step,
    refresh,
    user_with_app,
    verify,
)
from tests.support.clock import MovableClock
from tests.support.database import Connection, count_waiting
from tests.support.waiting import until


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
        await until(lambda: count_waiting(auth_db))
        ending = asyncio.ensure_future(auth.call("POST", path, token=token, json=body))

        async def both_wait() -> bool:
            return await count_waiting(auth_db) == 2

        await until(both_wait)
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


async def test_remembered_device_whose_refresh_token_was_copied_is_asked(
    auth: AuthClient, clock: MovableClock
) -> None:
    """The thief has the device token too, which is kept beside the other one."""
    pair = await remembered(auth, await user_with_app(auth, clock, NUMBER))
    await refresh(auth, await refresh(auth, pair))
    copied = {"refresh_token": pair["refresh_token"]}
    assert (await auth.call("POST", "/refresh", json=copied)).code == "refresh_reused"
    assert await code_of(auth, pair["device"]) == "mfa_required"


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
        await until(lambda: count_waiting(auth_db))
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
