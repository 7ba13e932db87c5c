"""Events: stored with what they tell of, telling nothing that must stay secret, never changed."""

import json
from collections.abc import Callable

import asyncpg
import pytest

from auth_service.audit.model import Event, Origin
from auth_service.audit.repository import INSERT_EVENT
from auth_service.audit.service import AuditLog
from auth_service.settings import AuthSettings
from shared.db import open_database
from shared.entropy import SystemEntropy, new_id
from shared.opaque_tokens import SECRET_BYTES, encode_token
from tests.support.accounts import post
from tests.support.auth_client import AuthClient, wrong
from tests.support.clock import MovableClock
from tests.support.database import Connection

NUMBER = "+919876543210"
EVENTS = "select * from audit_events order by id"


async def test_audit_sign_up_and_sign_in_are_recorded_with_session_and_client(
    auth: AuthClient, auth_db: Connection
) -> None:
    headers = {"User-Agent": "Phone/1", "X-Request-ID": "request-0001"}
    first = await auth.sign_in(NUMBER, headers=headers)
    await auth.sign_in(NUMBER)
    up, again = await auth_db.fetch(EVENTS)
    assert (up["event"], again["event"]) == ("user.signed_up", "user.signed_in")
    assert str(up["user_id"]) == str(again["user_id"]) == first["user"]["id"]
    assert (up["outcome"], up["actor_id"], up["user_agent"]) == ("success", None, "Phone/1")
    assert (str(up["address"]), up["request_id"]) == ("127.0.0.1", "request-0001")
    assert json.loads(up["details"]) == json.loads(again["details"]) == {"method": "otp sms"}
    sessions = await auth_db.fetch("select id from sessions order by created_at")
    assert [up["session_id"], again["session_id"]] == [row["id"] for row in sessions]


async def test_audit_wrong_code_is_recorded_without_code_or_number(
    auth: AuthClient, auth_db: Connection
) -> None:
    await auth.request_code(NUMBER)
    code = await auth.code(NUMBER)
    assert (await auth.enter_code(NUMBER, wrong(code))).code == "otp_invalid"
    [event] = await auth_db.fetch(EVENTS)
    assert (event["event"], event["outcome"]) == ("user.signed_in", "failure")
    assert "…10" in event["details"]
    for secret in (code, wrong(code), NUMBER, NUMBER[3:]):
        assert secret not in str(dict(event))


async def test_audit_code_or_ticket_never_sent_records_nothing(
    auth: AuthClient, auth_db: Connection
) -> None:
    """Nothing limits such tries, as there is nothing to guess, and no event can be deleted."""
    nobody, password = {"email": "nobody@example.com"}, "a battery that staples"
    otp = {**nobody, "otp": "000000"}
    stray = {"reset_ticket": encode_token("cht_", bytes(SECRET_BYTES)), "new_password": password}
    tries = [
        await auth.enter_code(NUMBER, "000000"),
        await auth.enter_code(NUMBER, "000000", "0" * 32),
        *[await post(auth, path, **otp) for path in ("/verify-otp", "/login", "/verify-reset")],
        await post(auth, "/reset-password", **otp, new_password=password),
        await post(auth, "/reset-password", **stray),
        await post(auth, "/reset-password", **stray | {"reset_ticket": "cht_zebra"}),
    ]
    assert [(one.status, one.code) for one in tries] == [(401, "otp_invalid")] * len(tries)
    assert await auth_db.fetch(EVENTS) == []


async def test_audit_disabled_users_right_code_is_recorded_as_failure(
    auth: AuthClient, auth_db: Connection
) -> None:
    await auth.sign_in(NUMBER)
    await auth_db.execute("update users set status = 'disabled'")
    await auth.request_code(NUMBER)
    assert (await auth.enter_code(NUMBER, await auth.code(NUMBER, 2))).code == "account_disabled"
    _, refused = await auth_db.fetch(EVENTS)
    assert (refused["outcome"], refused["session_id"]) == ("failure", None)
    assert '"reason": "account_disabled"' in refused["details"]


async def test_audit_remove_old_deletes_events_by_age_alone(
    auth: AuthClient,
    auth_dsn: str,
    auth_db: Connection,
    clock: MovableClock,
    auth_settings: Callable[[], AuthSettings],
) -> None:
    await auth.sign_in(NUMBER)
    for days in (399, 401):
        past = MovableClock()
        past.advance(days=-days)
        event = Event("user.signed_in", Origin()).to_json(new_id(past, SystemEntropy()), past.now())
        await auth_db.execute(INSERT_EVENT, event)
    async with open_database(auth_dsn) as database:
        audit = AuditLog(database, clock, SystemEntropy(), auth_settings())
        assert [await audit.remove_old() for _ in range(2)] == [1, 0]
    assert await auth_db.fetchval("select count(*) from audit_events") == 2


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_events set outcome = 'success'",
        "delete from audit_events",
        "truncate audit_events",
    ],
)
async def test_audit_table_refuses_update_delete_and_truncate(
    auth: AuthClient, auth_db: Connection, statement: str
) -> None:
    await auth.sign_in(NUMBER)
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await auth_db.execute(statement)
    assert await auth_db.fetchval("select count(*) from audit_events") == 1


async def test_audit_ended_session_is_recorded_once(auth: AuthClient, auth_db: Connection) -> None:
    pairs = [await auth.sign_in(NUMBER) for _ in range(4)]
    for _ in range(2):
        await auth.call("POST", "/logout", token=pairs[0]["access_token"])
    listed = await auth.call("GET", "/sessions", token=pairs[1]["access_token"])
    other = listed.body["items"][0]["id"]
    await auth.call("DELETE", f"/sessions/{other}", token=pairs[1]["access_token"])
    body = {"except_current": True}
    await auth.call("POST", "/logout-all", token=pairs[1]["access_token"], json=body)
    refresh = {"refresh_token": pairs[1]["refresh_token"]}
    later = await auth.call("POST", "/refresh", json=refresh)
    await auth.call("POST", "/refresh", json={"refresh_token": later.body["refresh_token"]})
    assert (await auth.call("POST", "/refresh", json=refresh)).code == "refresh_reused"
    events = await auth_db.fetch("select * from audit_events order by id offset 4")
    assert [event["event"] for event in events] == [
        "user.signed_out",
        "session.revoked",
        "user.signed_out_everywhere",
        "session.reuse_detected",
    ]
    assert {str(event["user_id"]) for event in events} == {pairs[0]["user"]["id"]}
    assert all(event["session_id"] for event in events)
