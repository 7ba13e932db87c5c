"""Administration: who is found, who is kept out, and what everybody's tokens are worth then."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from auth_service.cli import main
from tests.support.accounts import activate, register
from tests.support.auth_client import Answer, AuthClient
from tests.support.clock import MovableClock
from tests.support.database import Connection

ADMIN, NUMBER, OTHER = "+919876543200", "+919876543210", "+919876543211"


async def make_admin(auth: AuthClient, auth_db: Connection) -> str:
    """An administrator's token."""
    await auth.sign_in(ADMIN, "Ops Team")
    await auth_db.execute("update users set roles = '{admin}' where phone_number = $1", ADMIN)
    return str((await auth.sign_in(ADMIN))["access_token"])


@pytest.fixture
async def admin(auth: AuthClient, auth_db: Connection) -> str:
    return await make_admin(auth, auth_db)


async def search_names(auth: AuthClient, admin: str, q: str) -> list[str]:
    answer = await auth.call("GET", "/admin/users", token=admin, params={"q": q})
    assert answer.status == 200, answer.body
    return [item["name"] for item in answer.body["items"]]


async def test_admin_users_search_matches_prefixes_literally(
    auth: AuthClient, auth_db: Connection, admin: str
) -> None:
    await auth.sign_in(NUMBER, "Asha Rao")
    await auth.sign_in(OTHER, "Bo_b 100%")
    change = (
        "update users set username = 'RaoA', email = 'asha@example.com' where name = 'Asha Rao'"
    )
    await auth_db.execute(change)
    for q in ("asha", "ASHA R", "raoa", "Asha@Example", NUMBER, "+91 98765 43210", "09876543210"):
        assert await search_names(auth, admin, q) == ["Asha Rao"], q
    assert await search_names(auth, admin, "+9198765432") == ["Bo_b 100%", "Asha Rao", "Ops Team"]
    assert await search_names(auth, admin, "bo_") == ["Bo_b 100%"]
    for q in ("bo%", "%", "_", "rao asha", "'; drop table users; --", "\U0010ffff", "é"):
        assert await search_names(auth, admin, q) == [], q
    refused = await auth.call("GET", "/admin/users", token=admin, params={"q": "x" * 300})
    assert refused.code == "validation_failed"


async def test_admin_users_list_pages_newest_first_and_refuses_bad_cursor(
    auth: AuthClient, admin: str
) -> None:
    for last in range(3):
        await auth.sign_in(f"+91987654321{last}")
    seen: list[str] = []
    params = {"limit": "2"}
    while True:
        page = (await auth.call("GET", "/admin/users", token=admin, params=params)).body
        seen += [item["phone_number"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert seen == [f"+91987654321{last}" for last in (2, 1, 0)] + [ADMIN]
    for cursor in ("x", "WyJ4Il0", ""):
        bad = {"cursor": cursor}
        answer = await auth.call("GET", "/admin/users", token=admin, params=bad)
        assert cursor == "" or answer.code == "validation_failed"


async def test_admin_user_is_shown_and_unknown_user_is_404(auth: AuthClient, admin: str) -> None:
    pair = await auth.sign_in(NUMBER)
    path = f"/admin/users/{pair['user']['id']}"
    answer = await auth.call("GET", path, token=admin)
    assert answer.body["phone_number"] == NUMBER
    assert not {"password", "generation"} & set(answer.body)
    for method, action in (
        ("GET", ""),
        ("POST", "/disable"),
        ("POST", "/enable"),
        ("POST", "/revoke-sessions"),
    ):
        unknown = await auth.call(method, f"/admin/users/{uuid4()}{action}", token=admin)
        assert unknown.code == "not_found"
    body: dict[str, list[str]] = {"roles": []}
    unknown = await auth.call("PUT", f"/admin/users/{uuid4()}/roles", token=admin, json=body)
    assert unknown.code == "not_found"


async def test_admin_disabled_user_is_signed_out_until_enabled(
    auth: AuthClient, auth_db: Connection, admin: str
) -> None:
    pair = await auth.sign_in(NUMBER)
    path = f"/admin/users/{pair['user']['id']}"
    await auth.request_code(NUMBER)
    on_its_way = await auth.code(NUMBER, 2)
    for _ in range(2):
        answer = await auth.call("POST", f"{path}/disable", token=admin)
        assert (answer.status, answer.body["status"]) == (200, "disabled")
    token, body = pair["access_token"], {"refresh_token": pair["refresh_token"]}
    assert (await auth.call("GET", "/me", token=token)).code == "token_revoked"
    assert (await auth.call("POST", "/refresh", json=body)).code == "refresh_invalid"
    await auth.request_code(NUMBER)
    assert (await auth.enter_code(NUMBER, await auth.code(NUMBER, 3))).code == "account_disabled"
    revoked = await auth_db.fetch("select kind, generation, reason from revocations")
    assert [tuple(row) for row in revoked] == [("user", 1, "disabled")]
    for _ in range(2):
        answer = await auth.call("POST", f"{path}/enable", token=admin)
        assert (answer.status, answer.body["status"]) == (200, "active")
    assert (await auth.call("GET", "/me", token=token)).code == "token_revoked"
    assert (await auth.call("POST", "/refresh", json=body)).code == "refresh_invalid"
    assert (await auth.enter_code(NUMBER, on_its_way)).code == "otp_invalid"
    assert (await auth.sign_in(NUMBER))["user"]["id"] == pair["user"]["id"]
    events = (
        "select event from audit_events where user_id = $1 and actor_id is not null order by id"
    )
    rows = await auth_db.fetch(events, pair["user"]["id"])
    assert [row["event"] for row in rows] == ["user.disabled", "user.enabled"]


async def test_admin_enabled_user_without_verified_contact_is_pending(
    auth: AuthClient, auth_db: Connection, admin: str
) -> None:
    user = await auth_db.fetchval(
        "insert into users (id, name, status, created_at)"
        " values (gen_random_uuid(), 'P', 'disabled', now()) returning id"
    )
    answer = await auth.call("POST", f"/admin/users/{user}/enable", token=admin)
    assert answer.body["status"] == "pending"


async def test_admin_disable_pending_registration_is_409(
    auth: AuthClient, auth_db: Connection, admin: str
) -> None:
    """It would keep its username from others, and outlive the purge."""
    waiting, _ = await register(auth, email="first@example.com", username="asha")
    await activate(auth, email="second@example.com", username="asha")
    path = f"/admin/users/{waiting.body['user_id']}/disable"
    refused = await auth.call("POST", path, token=admin)
    assert (refused.status, refused.code) == (409, "conflict")
    status = "select status from users where email = 'first@example.com'"
    assert await auth_db.fetchval(status) == "pending"


async def test_admin_removing_own_admin_role_is_409(auth: AuthClient, admin: str) -> None:
    me = (await auth.call("GET", "/me", token=admin)).body["id"]
    for roles in ([], ["editor"]):
        refused = await auth.call(
            "PUT", f"/admin/users/{me}/roles", token=admin, json={"roles": roles}
        )
        assert (refused.status, refused.code) == (409, "conflict")
    both = {"roles": ["admin", "editor"]}
    kept = await auth.call("PUT", f"/admin/users/{me}/roles", token=admin, json=both)
    assert kept.body["roles"] == ["admin", "editor"]


async def test_admin_disabling_oneself_is_409(auth: AuthClient, admin: str) -> None:
    me = await auth.call("GET", "/me", token=admin)
    refused = await auth.call("POST", f"/admin/users/{me.body['id']}/disable", token=admin)
    assert (refused.status, refused.code) == (409, "conflict")
    assert (await auth.call("GET", "/me", token=admin)).status == 200


async def test_admin_revoke_sessions_revokes_all_tokens_and_is_audited(
    auth: AuthClient, auth_db: Connection, admin: str
) -> None:
    pairs = [await auth.sign_in(NUMBER) for _ in range(2)]
    path = f"/admin/users/{pairs[0]['user']['id']}/revoke-sessions"
    assert (await auth.call("POST", path, token=admin)).status == 204
    for pair in pairs:
        assert (await auth.call("GET", "/me", token=pair["access_token"])).code == "token_revoked"
    event = await auth_db.fetchrow(
        "select * from audit_events where event = 'user.signed_out_everywhere'"
    )
    assert event is not None
    assert str(event["user_id"]) == pairs[0]["user"]["id"]
    assert event["actor_id"] is not None


async def test_admin_changed_roles_revoke_token_and_apply_after_refresh(
    auth: AuthClient, admin: str
) -> None:
    pair = await auth.sign_in(NUMBER)
    path = f"/admin/users/{pair['user']['id']}/roles"
    body = {"roles": ["editor", "admin", "editor"]}
    answer = await auth.call("PUT", path, token=admin, json=body)
    assert answer.body["roles"] == ["admin", "editor"]
    assert (await auth.call("GET", "/me", token=pair["access_token"])).code == "token_revoked"
    refresh = {"refresh_token": pair["refresh_token"]}
    fresh = (await auth.call("POST", "/refresh", json=refresh)).body
    assert (await auth.call("GET", "/admin/users", token=fresh["access_token"])).status == 200
    again = await auth.call("PUT", path, token=admin, json=body)  # nothing is different
    assert again.status == 200
    assert (await auth.call("GET", "/admin/users", token=fresh["access_token"])).status == 200
    await auth.call("PUT", path, token=admin, json={"roles": []})
    later = await auth.call("POST", "/refresh", json={"refresh_token": fresh["refresh_token"]})
    token = later.body["access_token"]
    assert (await auth.call("GET", "/admin/users", token=token)).code == "forbidden"
    wrongs: list[dict[str, Any]] = [{}, {"roles": ["root"]}, {"roles": "admin"}, {"role": []}]
    for wrong in wrongs:
        refused = await auth.call("PUT", path, token=admin, json=wrong)
        assert refused.code == "validation_failed"


async def test_admin_audit_filters_by_user_event_and_time(
    auth: AuthClient, admin: str, clock: MovableClock
) -> None:
    clock.advance(minutes=1)
    first = clock.now().isoformat()
    pair = await auth.sign_in(NUMBER)
    await auth.call("POST", "/logout", token=pair["access_token"])
    clock.advance(minutes=1)
    second = clock.now().isoformat()
    await auth.sign_in(NUMBER)

    async def listed(**params: str) -> Answer:
        return await auth.call("GET", "/admin/audit", token=admin, params=params)

    async def names(**params: str) -> list[str]:
        return [item["event"] for item in (await listed(**params)).body["items"]]

    user = pair["user"]["id"]
    everything = ["user.signed_in", "user.signed_out", "user.signed_up"]
    assert await names(user_id=user) == everything
    assert await names(user_id=user, **{"from": first, "to": second}) == everything[1:]
    assert await names(user_id=user, event="user.signed_out") == ["user.signed_out"]
    assert await names(event="user.signed_up", **{"from": first}) == ["user.signed_up"]
    assert await names(**{"from": second}) == ["user.signed_in"]
    assert await names(user_id=str(uuid4())) == []
    page = await listed(user_id=user, limit="2")
    rest = await listed(user_id=user, limit="2", cursor=page.body["next_cursor"])
    assert [item["event"] for item in page.body["items"] + rest.body["items"]] == everything
    assert rest.body["next_cursor"] is None
    out = page.body["items"][1]
    assert (out["outcome"], out["address"], out["actor_id"]) == ("success", "127.0.0.1", None)
    for wrong in (
        {"from": "yesterday"},
        {"to": "2026-01-01T00:00:00"},
        {"from": "0001-01-01T00:00:00+14:00"},
        {"user_id": "me"},
        {"cursor": "x"},
        {"limit": "201"},
        {"who": "me"},
    ):
        assert (await listed(**wrong)).code == "validation_failed", wrong
    assert await names(**{"from": "0001-01-01T00:00:00Z", "to": "1950-01-01T00:00:00Z"}) == []


@pytest.mark.usefixtures("command_environment")
async def test_admin_command_grants_and_revokes_role(
    auth: AuthClient, auth_db: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    async def command(*words: str) -> int:
        return await asyncio.to_thread(main, ["admin", *words])

    pair = await auth.sign_in(NUMBER)
    assert await command("grant", "98765 43210", "admin") == 0
    told = capsys.readouterr().out.splitlines()[-1]
    assert told.startswith(f"{pair['user']['id']} admin; signed out everywhere")
    assert (await auth.call("GET", "/me", token=pair["access_token"])).code == "token_revoked"
    admin = (await auth.sign_in(NUMBER))["access_token"]
    assert (await auth.call("GET", "/admin/users", token=admin)).status == 200
    event = await auth_db.fetchrow("select * from audit_events where event = 'roles.changed'")
    assert event is not None
    assert (event["actor_id"], event["address"]) == (None, None)
    assert '"roles": "admin"' in event["details"]
    await auth_db.execute("update users set email = 'a@xn--bcher-kva.de', email_verified = true")
    assert await command("revoke", "A@bücher.de", "admin") == 0
    assert (await auth.call("GET", "/admin/users", token=admin)).code == "token_revoked"
    assert await command("grant", "nobody@example.com", "admin") == 1
    with pytest.raises(SystemExit):
        await command("grant", NUMBER, "root")
