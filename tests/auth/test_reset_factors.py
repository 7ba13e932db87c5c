"""An administrator removes the second factors of a user who has lost them."""

import asyncio
from uuid import UUID, uuid4

import pytest

from auth_service.cli import main
from tests.support.auth_client import Answer, AuthClient
from tests.support.authenticator import enrol, refresh
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.tokens import unverified_claims
from tests.support.waiting import until

NUMBER, ADMIN = "+919876543210", "+919876543211"


async def administrator(auth: AuthClient, auth_db: Connection) -> str:
    user_id = UUID((await auth.sign_in(ADMIN))["user"]["id"])
    await auth_db.execute("update users set roles = '{admin}' where id = $1", user_id)
    return str((await auth.sign_in(ADMIN))["access_token"])


async def reset(auth: AuthClient, token: str, user_id: object) -> Answer:
    path = f"/admin/users/{user_id}/reset-factors"
    return await auth.call("POST", path, token=token, json={"reason": "lost the phone"})


async def test_reset_factors_lets_the_user_sign_in_notifies_and_is_audited(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    await enrol(auth, clock, pair["access_token"])
    pair = await refresh(auth, pair)
    token, user_id = await administrator(auth, auth_db), pair["user"]["id"]
    assert (await reset(auth, token, user_id)).status == 204
    for table in ("factors", "recovery_codes"):
        assert await auth_db.fetchval(f"select count(*) from {table}") == 0
    assert (await auth.call("GET", "/me", token=pair["access_token"])).status == 200
    renewed = await refresh(auth, pair)
    assert unverified_claims(renewed["access_token"])["acr"] == "aal1"
    assert "access_token" in await auth.sign_in(NUMBER)

    async def told() -> bool:
        texts = [str(item["text"]) for item in await auth.inbox(NUMBER)]
        return any("administrator has removed" in text for text in texts)

    await until(told)
    [event] = await auth_db.fetch("select * from audit_events where event = 'factors.reset'")
    assert str(event["user_id"]) == user_id
    assert event["actor_id"] is not None
    assert event["details"] == '{"reason": "lost the phone"}'


async def test_reset_factors_of_an_unknown_user_is_404(
    auth: AuthClient, auth_db: Connection
) -> None:
    answer = await reset(auth, await administrator(auth, auth_db), uuid4())
    assert (answer.status, answer.code) == (404, "not_found")


async def test_reset_factors_by_a_user_without_the_role_is_403(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    await enrol(auth, clock, pair["access_token"])
    answer = await reset(auth, pair["access_token"], pair["user"]["id"])
    assert (answer.status, answer.code) == (403, "forbidden")
    assert await auth_db.fetchval("select count(*) from factors") == 1


async def test_reset_factors_by_an_administrator_needs_the_own_factor(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    """So does giving the role that may do it to another account."""
    user = await auth.sign_in(NUMBER)
    token = await administrator(auth, auth_db)
    app = await enrol(auth, clock, token)
    path, body = f"/admin/users/{user['user']['id']}/roles", {"roles": ["admin"]}
    for refused in (
        await reset(auth, token, user["user"]["id"]),
        await auth.call("PUT", path, token=token, json=body),
    ):
        assert (refused.status, refused.code) == (403, "step_up_required")
    fresh = await auth.call("POST", "/step-up", token=token, json={"otp": app.next_code()})
    token = fresh.body["access_token"]
    assert (await reset(auth, token, user["user"]["id"])).status == 204
    assert (await auth.call("PUT", path, token=token, json=body)).status == 200


@pytest.mark.usefixtures("command_environment")
async def test_reset_factors_command_lets_a_locked_out_administrator_sign_in(
    auth: AuthClient, auth_db: Connection, clock: MovableClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async def command(address: str) -> int:
        return await asyncio.to_thread(main, ["reset-factors", address, "lost the phone"])

    token = await administrator(auth, auth_db)
    await enrol(auth, clock, token)
    assert await command("nobody@example.com") == 1
    assert capsys.readouterr().err.splitlines() == ["no user has this verified address"]
    assert await command(ADMIN) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(" has no second factor any more")
    assert "access_token" in await auth.sign_in(ADMIN)
    [event] = await auth_db.fetch("select * from audit_events where event = 'factors.reset'")
    assert (event["actor_id"], event["address"]) == (None, None)
    assert event["details"] == '{"reason": "lost the phone"}'

    async def told() -> bool:
        texts = [str(item["text"]) for item in await auth.inbox(ADMIN)]
        return any("administrator has removed" in text for text in texts)

    await until(told)
