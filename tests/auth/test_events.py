"""Each change of a user, a session or a factor writes its event, and a refused act writes none."""

from typing import Any

import pytest

from auth_service.session.sign_in import repository
from tests.support.account_events import new_events, recorded, types
from tests.support.accounts import PASSWORD, activate, next_code, post, register
from tests.support.auth_client import Answer, AuthClient
from tests.support.authenticator import begin, confirm, enrol, refresh, user_with_app
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.publishing import all_events

NUMBER, OTHER, ADMIN = "+919876543210", "+919876543211", "+919876543200"
EMAIL, NEW_PASSWORD = "asha.rao@example.com", "a brand new phrase"


async def revoked(auth_db: Connection) -> list[str]:
    """The ids of the revoked sessions, sorted."""
    rows = await auth_db.fetch("select id from sessions where revoked_at is not null")
    return sorted(str(row["id"]) for row in rows)


def ended(events: list[Any], reason: str) -> list[str]:
    """The ids of the sessions that ended for the reason, sorted."""
    data = [data for type_, data in events if type_ == "session.revoked"]
    return sorted(one["id"] for one in data if one["reason"] == reason)


async def make_admin(auth: AuthClient, auth_db: Connection) -> str:
    user_id = (await auth.sign_in(ADMIN))["user"]["id"]
    await auth_db.execute("update users set roles = '{admin}' where id::text = $1", user_id)
    return str((await auth.sign_in(ADMIN))["access_token"])


async def succeed(auth: AuthClient, method: str, path: str, token: str, **options: Any) -> Answer:
    answer = await auth.call(method, path, token=token, **options)
    assert answer.status < 300, answer.body
    return answer


async def test_sign_up_writes_user_created_then_session_created(
    auth: AuthClient, auth_db: Connection
) -> None:
    pair = await auth.sign_in(NUMBER)
    user, session = pair["user"], await auth_db.fetchrow("select * from sessions")
    assert session is not None
    assert await recorded(auth_db) == [
        (
            "user.created",
            {
                "id": user["id"],
                "status": "active",
                "roles": [],
                "created_at": user["created_at"],
                "email": None,
                "phone_number": "…10",
            },
        ),
        (
            "session.created",
            {
                "id": str(session["id"]),
                "user_id": user["id"],
                "created_at": user["created_at"],
                "amr": ["otp", "sms"],
                "reason": None,
            },
        ),
    ]
    assert len({event["occurred_at"] for event in await all_events(auth_db)}) == 1
    assert types(await new_events(auth_db, auth.sign_in(NUMBER))) == ["session.created"]


async def test_registration_writes_user_created_once_its_code_proves_it(
    auth: AuthClient, auth_db: Connection
) -> None:
    registered, code = await register(auth, email=EMAIL, password=PASSWORD)
    assert await recorded(auth_db) == []
    body = {"email": EMAIL, "otp": code, "challenge": registered.body["challenge"]}
    events = await new_events(auth_db, post(auth, "/verify-otp", **body))
    assert types(events) == ["user.created", "session.created"]
    created, signed_in = [event["occurred_at"] for event in (await all_events(auth_db))[-2:]]
    assert created <= signed_in
    assert (events[0][1]["status"], events[0][1]["email"]) == ("active", "…ao")


async def test_profile_change_writes_user_updated(auth: AuthClient, auth_db: Connection) -> None:
    pair = await auth.sign_in(NUMBER)
    change = succeed(auth, "PATCH", "/me", pair["access_token"], json={"name": "Asha Rao"})
    [(event_type, data)] = await new_events(auth_db, change)
    assert (event_type, data["id"]) == ("user.updated", pair["user"]["id"])


async def test_contact_change_writes_contact_changed_with_the_new_address(
    auth: AuthClient, auth_db: Connection
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    await succeed(auth, "PATCH", "/me", token, json={"email": EMAIL})
    proof = {"email": EMAIL, "otp": await auth.code(EMAIL)}
    change = succeed(auth, "POST", "/me/verify-contact", token, json=proof)
    [(event_type, data)] = await new_events(auth_db, change)
    contacts = (data["email"], data["phone_number"])
    assert (event_type, contacts) == ("contact.changed", ("…ao", "…10"))


async def test_password_change_writes_password_changed_and_each_other_session(
    auth: AuthClient, auth_db: Connection
) -> None:
    pair = await activate(auth, email=EMAIL, password=PASSWORD)
    for _ in range(2):
        await post(auth, "/login", email=EMAIL, password=PASSWORD)
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    change = succeed(auth, "POST", "/change-password", pair["access_token"], json=body)
    events = await new_events(auth_db, change)
    assert types(events) == ["password.changed", "session.revoked", "session.revoked"]
    assert events[0][1]["id"] == pair["user"]["id"]
    assert ended(events, "password_changed") == await revoked(auth_db)


async def test_password_reset_writes_password_changed_and_every_session(
    auth: AuthClient, auth_db: Connection
) -> None:
    await activate(auth, email=EMAIL, password=PASSWORD)
    _, code = await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
    reset = post(auth, "/reset-password", email=EMAIL, otp=code, new_password=NEW_PASSWORD)
    events = await new_events(auth_db, reset)
    assert types(events) == ["password.changed", "session.revoked"]
    assert ended(events, "password_reset") == await revoked(auth_db)


async def test_each_end_of_one_session_writes_one_session_revoked(
    auth: AuthClient, auth_db: Connection
) -> None:
    pairs = [await auth.sign_in(NUMBER) for _ in range(3)]
    token = pairs[0]["access_token"]
    path = f"/sessions/{(await auth.call('GET', '/sessions', token=token)).body['items'][0]['id']}"
    used = {"refresh_token": pairs[1]["refresh_token"]}
    newer = await auth.call("POST", "/refresh", json=used)
    await auth.call("POST", "/refresh", json={"refresh_token": newer.body["refresh_token"]})
    for reason, method, way, options in (
        ("logout", "DELETE", path, {"token": token}),
        ("refresh_reused", "POST", "/refresh", {"json": used}),
        ("logout", "POST", "/logout", {"token": token}),
    ):
        before = await revoked(auth_db)
        events = await new_events(auth_db, auth.call(method, way, **options))
        assert (types(events), len(ended(events, reason))) == (["session.revoked"], 1), way
        assert {*ended(events, reason), *before} == {*await revoked(auth_db)}
        assert await new_events(auth_db, auth.call(method, way, **options)) == []


@pytest.mark.parametrize(("but_this", "count"), [(True, 2), (False, 3)])
async def test_logout_all_writes_one_event_for_each_live_session(
    auth: AuthClient, auth_db: Connection, *, but_this: bool, count: int
) -> None:
    pairs = [await auth.sign_in(NUMBER) for _ in range(4)]
    await auth_db.execute(
        "update sessions set expires_at = created_at"
        " where id = (select id from sessions order by created_at limit 1)"
    )
    body = {"except_current": but_this}
    call = succeed(auth, "POST", "/logout-all", pairs[3]["access_token"], json=body)
    events = await new_events(auth_db, call)
    assert types(events) == ["session.revoked"] * count
    assert len(set(ended(events, "logout_all"))) == count


async def test_sign_in_beyond_the_most_sessions_writes_the_end_of_the_oldest(
    auth: AuthClient, auth_db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth_service.session.sign_in.service.MAX_SESSIONS", 50)
    user_id = (await auth.sign_in(NUMBER))["user"]["id"]
    await auth_db.execute(
        "insert into sessions (id, user_id, ip, amr, auth_time, created_at, last_used_at,"
        " expires_at) select gen_random_uuid(), user_id, ip, amr, auth_time, created_at,"
        " last_used_at, expires_at from sessions, generate_series(1, 50) where user_id::text = $1",
        user_id,
    )
    events = await new_events(auth_db, auth.sign_in(NUMBER))
    assert types(events) == ["session.created", "session.revoked", "session.revoked"]
    assert ended(events, repository.SURPLUS) == await revoked(auth_db)


async def test_administration_writes_user_updated_and_the_ended_sessions(
    auth: AuthClient, auth_db: Connection
) -> None:
    admin = await make_admin(auth, auth_db)
    user_id = (await auth.sign_in(NUMBER))["user"]["id"]
    path = f"/admin/users/{user_id}"
    for method, act, body, expected in (
        ("PUT", "roles", {"roles": ["editor"]}, ["user.updated"]),
        ("PUT", "roles", {"roles": ["editor"]}, []),
        ("POST", "disable", None, ["user.updated", "session.revoked"]),
        ("POST", "disable", None, []),
        ("POST", "enable", None, ["user.updated"]),
        ("POST", "enable", None, []),
    ):
        call = succeed(auth, method, f"{path}/{act}", admin, json=body)
        events = await new_events(auth_db, call)
        assert types(events) == expected, act
        row = await auth_db.fetchrow("select * from users where id::text = $1", user_id)
        for event_type, data in events:
            if row is not None and event_type == "user.updated":
                assert (data["status"], data["roles"]) == (row["status"], row["roles"])
    await auth.sign_in(NUMBER)
    events = await new_events(auth_db, succeed(auth, "POST", f"{path}/revoke-sessions", admin))
    assert (types(events), len(ended(events, "administration"))) == (["session.revoked"], 1)


async def test_account_deletion_writes_user_deleted_alone(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    await enrol(auth, clock, pair["access_token"])
    token = (await refresh(auth, pair))["access_token"]
    [event] = await new_events(auth_db, succeed(auth, "DELETE", "/me", token))
    assert (event[0], event[1]["id"]) == ("user.deleted", pair["user"]["id"])


async def test_refused_acts_write_no_event(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await activate(auth, email=EMAIL, username="asha", password=PASSWORD)
    app = await user_with_app(auth, clock, OTHER)
    token = pair["access_token"]
    pending = await begin(auth, clock, token)
    _, code = await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
    sent = len(await auth.codes(OTHER))
    await auth.call("PATCH", "/me", token=token, json={"mobile": OTHER})
    taken = {"mobile": OTHER, "otp": await auth.code(OTHER, sent + 1)}
    before = await recorded(auth_db)
    wrong_password = {"current_password": "not this one", "new_password": NEW_PASSWORD}
    answers = [
        await post(auth, "/login", email=EMAIL, password="not the right one"),
        await post(auth, "/reset-password", email=EMAIL, otp=code, new_password="password123"),
        await auth.call("POST", "/change-password", token=token, json=wrong_password),
        await auth.call("POST", "/me/verify-contact", token=token, json=taken),
        await confirm(auth, token, pending, app.wrong()),
        await auth.call("DELETE", f"/me/factors/{app.id}", token=token),
        await auth.call("PATCH", "/me", token=token, json={"username": "admin"}),
        await auth.call("POST", f"/admin/users/{pair['user']['id']}/disable", token=token),
    ]
    statuses = [answer.status for answer in answers]
    assert statuses == [401, 422, 403, 409, 401, 404, 422, 403], [one.body for one in answers]
    assert await recorded(auth_db) == before
