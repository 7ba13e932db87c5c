"""What one signed-in user can take of auth_service's time: changes, refreshes and exports."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from auth_service.app import interface
from auth_service.rate_limit.service import RateLimiter
from auth_service.settings import AuthSettings
from shared.credentials import SAFE_METHODS
from shared.errors import ServiceUnavailable
from shared.openapi import Operation
from tests.support.auth_client import Answer, AuthClient
from tests.support.browser import sign_in
from tests.support.clock import MovableClock
from tests.support.database import Connection

NUMBER, OTHER = "+919876543210", "+919876543211"
SIGNED_IN = [one for one in interface(development=True).operations if one.auth]
COUNTED = [one for one in SIGNED_IN if one.counts_towards_limits]
FREE = {
    "POST /logout-all",  # whoever took a session may have used the limits up
    "DELETE /sessions/{id}",  # likewise
    "POST /admin/users/{id}/disable",  # putting an attacker out comes first
    "POST /admin/users/{id}/revoke-sessions",  # likewise
}
"""Changes that no limit of this kind refuses. Whoever adds a line says why in the review."""

Serve = Callable[..., Any]


def named(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def path_of(operation: Operation) -> str:
    return operation.path.replace("{id}", str(uuid4())).replace("{did}", str(uuid4()))


def default(name: str) -> str:
    """A setting's own value, as the environment would hold it."""
    extra = AuthSettings.model_fields[name].json_schema_extra
    assert isinstance(extra, dict)
    return str(extra["written"])


async def rename(auth: AuthClient, token: str) -> Answer:
    return await auth.call("PATCH", "/me", token=token, json={"name": "Asha"})


async def refresh(auth: AuthClient, token: str) -> Answer:
    return await auth.call("POST", "/refresh", json={"refresh_token": token})


def check_limited(answer: Answer) -> None:
    assert (answer.status, answer.code) == (429, "rate_limited"), answer.body
    assert answer.body["retry_after"] >= 1
    assert answer.headers["Retry-After"] == str(answer.body["retry_after"])


def test_uncounted_changing_routes_are_listed() -> None:
    changes = {named(one) for one in SIGNED_IN if one.method not in SAFE_METHODS}
    assert changes - {named(one) for one in COUNTED} == FREE
    assert len(COUNTED) >= 9


async def test_uncounted_reading_route_stores_nothing(
    auth: AuthClient, auth_db: Connection
) -> None:
    await auth.sign_in(NUMBER)
    await auth_db.execute("update users set roles = '{admin}'")
    token = (await auth.sign_in(NUMBER))["access_token"]
    reading = [
        one for one in SIGNED_IN if one.method in SAFE_METHODS and not one.counts_towards_limits
    ]
    assert len(reading) >= 5
    tables = ("users", "sessions", "tokens", "audit_events", "revocations")
    rows = "select " + ", ".join(f"(select count(*) from {table})" for table in tables)
    before = await auth_db.fetchrow(rows)
    for operation in reading:
        await auth.call(operation.method, path_of(operation), token=token)
        assert await auth_db.fetchrow(rows) == before, named(operation)


@pytest.mark.parametrize("setting", ["limit_writes_per_user", "limit_writes_per_session"])
async def test_counted_route_full_limit_is_refused(serving_auth: Serve, setting: str) -> None:
    async with serving_auth(**{setting: "2/hour"}) as auth:
        token = (await auth.sign_in(NUMBER))["access_token"]
        for _ in range(2):
            assert (await rename(auth, token)).status == 200
        for operation in COUNTED:
            check_limited(await auth.call(operation.method, path_of(operation), token=token))
        other = (await auth.sign_in(OTHER))["access_token"]
        assert (await rename(auth, other)).status == 200


async def test_counted_route_uses_the_limit_up_whatever_it_answers(serving_auth: Serve) -> None:
    surviving = [one for one in COUNTED if named(one) != "DELETE /me"]  # else the user is gone
    assert len(surviving) == len(COUNTED) - 1
    async with serving_auth(limit_writes_per_user=f"{len(surviving)}/hour") as auth:
        token = (await auth.sign_in(NUMBER))["access_token"]
        for operation in surviving:
            answer = await auth.call(operation.method, path_of(operation), token=token)
            assert answer.status not in {401, 429}, named(operation)
        check_limited(await rename(auth, token))


async def test_free_route_full_limit_still_ends_access(
    serving_auth: Serve, auth_db: Connection
) -> None:
    async with serving_auth(limit_writes_per_user="1/hour") as auth:
        await auth.sign_in(NUMBER)
        await auth_db.execute("update users set roles = '{admin}'")
        token, other = [(await auth.sign_in(NUMBER))["access_token"] for _ in range(2)]
        target = (await auth.sign_in(OTHER))["user"]["id"]
        assert (await rename(auth, token)).status == 200
        check_limited(await rename(auth, token))
        for path in (f"/admin/users/{target}/revoke-sessions", f"/admin/users/{target}/disable"):
            assert (await auth.call("POST", path, token=token)).status in {200, 204}
        listed = await auth.call("GET", "/sessions", token=token)
        [session] = [one["id"] for one in listed.body["items"] if not one["current"]][:1]
        assert (await auth.call("DELETE", f"/sessions/{session}", token=token)).status == 204
        assert (await auth.call("GET", "/me", token=other)).status == 401
        assert (await auth.call("POST", "/logout-all", token=token)).status == 204
        assert (await auth.call("POST", "/logout", token=token)).status == 204
        assert (await auth.call("GET", "/me", token=token)).status == 401


async def test_session_limit_full_leaves_the_owner_room(serving_auth: Serve) -> None:
    """A stolen session cannot use up what its owner needs."""
    async with serving_auth(limit_writes_per_session="2/hour", limit_writes_per_user="4/hour") as a:
        stolen, own = [(await a.sign_in(NUMBER))["access_token"] for _ in range(2)]
        statuses = [(await rename(a, stolen)).status for _ in range(9)]
        assert statuses == [200] * 2 + [429] * 7
        assert [(await rename(a, own)).status for _ in range(3)] == [200, 200, 429]


async def test_user_limit_counts_bearer_and_cookie_together(serving_auth: Serve) -> None:
    async with serving_auth(limit_writes_per_user="2/hour") as auth:
        token, browser = (await auth.sign_in(NUMBER))["access_token"], await sign_in(auth, NUMBER)
        assert (await rename(auth, token)).status == 200
        path, body = "/v1/auth/me", {"name": "Asha"}
        assert (await browser.call("PATCH", path, json=body)).status == 200
        check_limited(await browser.call("PATCH", path, json=body))
        check_limited(await rename(auth, token))


async def test_user_limit_simultaneous_changes_pass_no_more_than_allowed(
    serving_auth: Serve,
) -> None:
    async with serving_auth(limit_writes_per_user="5/hour") as auth:
        token = (await auth.sign_in(NUMBER))["access_token"]
        answers = await asyncio.gather(*(rename(auth, token) for _ in range(40)))
    assert sorted(answer.status for answer in answers) == [200] * 5 + [429] * 35


async def test_user_limit_unauthenticated_request_is_not_counted(serving_auth: Serve) -> None:
    """Nobody uses up another's limit: an unknown, foreign or unproven request is not counted."""
    async with serving_auth(limit_writes_per_user="1/hour") as auth:
        browser = await sign_in(auth, NUMBER)
        for headers in ({"X-CSRF-Token": None}, {"Cookie": None}):
            refused = await browser.call("PATCH", "/v1/auth/me", headers={**headers})
            assert refused.status in {401, 403}
        taken = await browser.call("PATCH", "/v1/auth/me", json={"name": "Asha"})
        assert taken.status == 200


@pytest.mark.parametrize("setting", ["limit_refresh_per_session", "limit_refresh_per_user"])
async def test_refresh_limit_full_spends_no_token(
    serving_auth: Serve, clock: MovableClock, setting: str
) -> None:
    async with serving_auth(**{setting: "2/hour"}) as auth:
        token = (await auth.sign_in(NUMBER))["refresh_token"]
        for _ in range(2):
            answer = await refresh(auth, token)
            assert answer.status == 200
            token = answer.body["refresh_token"]
        for _ in range(3):
            check_limited(await refresh(auth, token))
        other = (await auth.sign_in(OTHER))["refresh_token"]
        assert (await refresh(auth, other)).status == 200
        clock.advance(hours=1, seconds=1)
        assert (await refresh(auth, token)).status == 200


async def test_refresh_limit_ended_sessions_are_not_counted(serving_auth: Serve) -> None:
    """Else the tokens of sessions that have ended keep the owner from refreshing."""
    async with serving_auth(limit_refresh_per_user="2/hour") as auth:
        dead = await auth.sign_in(NUMBER)
        assert (await auth.call("POST", "/logout", token=dead["access_token"])).status == 204
        alive = await auth.sign_in(NUMBER)
        for _ in range(5):
            assert (await refresh(auth, dead["refresh_token"])).code == "refresh_invalid"
        assert (await refresh(auth, alive["refresh_token"])).status == 200


async def test_refresh_limit_full_still_detects_reuse(
    serving_auth: Serve, clock: MovableClock
) -> None:
    """A thief who rotates until the limit is full is found by the owner's spent token."""
    async with serving_auth(limit_refresh_per_session="2/hour") as auth:
        pair = await auth.sign_in(NUMBER)
        token = pair["refresh_token"]
        for _ in range(2):
            token = (await refresh(auth, token)).body["refresh_token"]
        clock.advance(minutes=1)
        assert (await refresh(auth, pair["refresh_token"])).code == "refresh_reused"
        assert (await auth.call("GET", "/me", token=pair["access_token"])).status == 401


async def test_refresh_limit_by_cookie_is_counted_like_body(serving_auth: Serve) -> None:
    async with serving_auth(limit_refresh_per_session="1/hour") as auth:
        browser = await sign_in(auth, NUMBER)
        assert (await browser.call("POST", "/v1/auth/refresh")).status == 200
        check_limited(await browser.call("POST", "/v1/auth/refresh"))


async def test_refresh_limit_default_lets_50_at_once_get_one_successor(serving_auth: Serve) -> None:
    names = ("limit_refresh_per_session", "limit_refresh_per_user")
    async with serving_auth(**{name: default(name) for name in names}) as auth:
        token = (await auth.sign_in(NUMBER))["refresh_token"]
        answers = await asyncio.gather(*(refresh(auth, token) for _ in range(50)))
        assert {answer.status for answer in answers} == {200}
        assert len({answer.body["refresh_token"] for answer in answers}) == 1


async def test_user_limits_without_redis_refuse_no_request(
    serving_auth: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [name for name in AuthSettings.model_fields if name.startswith("limit_")]
    used = [name for name in names if "writes" in name or "refresh" in name]
    async with serving_auth(**{name: default(name) for name in used}) as auth:
        pair = await auth.sign_in(NUMBER)

        async def away(*_: object) -> int:
            raise ServiceUnavailable

        monkeypatch.setattr(RateLimiter, "count", away)
        assert (await rename(auth, pair["access_token"])).status == 200
        assert (await refresh(auth, pair["refresh_token"])).status == 200


async def test_user_limit_default_refuses_a_flood(serving_auth: Serve, auth_db: Connection) -> None:
    names = [name for name in AuthSettings.model_fields if "writes" in name]
    async with serving_auth(**{name: default(name) for name in names}) as auth:
        token = (await auth.sign_in(NUMBER))["access_token"]
        answers = [await rename(auth, token) for _ in range(80)]
    assert [answer.status for answer in answers] == [200] * 60 + [429] * 20
    events = "select count(*) from audit_events where event = 'profile.changed'"
    assert await auth_db.fetchval(events) == 60
