"""Removing one's account: nothing of it is left, and everybody is told."""

import asyncio
from typing import Any

from redis.asyncio import Redis

from shared.revocation.message import DELETED_USERS_STREAM, decode
from tests.conftest import REVOCATION_KEY
from tests.support.auth_client import AuthClient
from tests.support.browser import ACCESS, CSRF, REFRESH, cookies_set_by, sign_in
from tests.support.database import Connection

NUMBER = "+919876543210"


async def test_account_deletion_removes_rows_and_revokes_tokens(
    auth: AuthClient, auth_db: Connection, redis: Redis
) -> None:
    pairs = [await auth.sign_in(NUMBER) for _ in range(2)]
    await auth.request_code(NUMBER)
    code = await auth.code(NUMBER, 3)
    token = pairs[0]["access_token"]
    assert (await auth.call("DELETE", "/me", token=token)).status == 204
    for pair in pairs:
        assert (await auth.call("GET", "/me", token=pair["access_token"])).code == "token_revoked"
        body = {"refresh_token": pair["refresh_token"]}
        assert (await auth.call("POST", "/refresh", json=body)).code == "refresh_invalid"
        assert (await auth.call("POST", "/logout", token=pair["access_token"])).status == 204
    assert (await auth.call("DELETE", "/me", token=token)).code == "token_revoked"
    for table in ("users", "sessions", "tokens"):
        assert await auth_db.fetchval(f"select count(*) from {table}") == 0
    entries: Any = await redis.xrange(DELETED_USERS_STREAM)
    [told] = {  # the publisher's first round may tell it again
        one
        for _, fields in entries
        for one in decode(fields[b"m"], [REVOCATION_KEY.encode()]).revocations
    }
    user = pairs[0]["user"]["id"]
    assert (told.id, told.kind, told.generation, told.reason) == (user, "user", 1, "user_deleted")
    event = await auth_db.fetchrow("select * from audit_events where event = 'user.deleted'")
    assert event is not None
    assert str(event["user_id"]) == user
    assert (await auth.enter_code(NUMBER, code)).code == "otp_invalid"  # it was on its way
    assert (await auth.sign_in(NUMBER))["user"]["id"] != user


async def test_account_deletion_beside_sign_in_leaves_no_session(
    auth: AuthClient, auth_db: Connection
) -> None:
    for round_ in range(10):
        number = f"+9198765433{round_:02d}"
        pair = await auth.sign_in(number)
        sent = await auth.request_code(number)
        code = await auth.code(number, 2)
        deleted, entered = await asyncio.gather(
            auth.call("DELETE", "/me", token=pair["access_token"]),
            auth.enter_code(number, code, sent.body["challenge"]),
        )
        assert deleted.status == 204
        assert entered.status in {200, 201, 401}
        if entered.status == 200:  # before the deletion, so it ended with it
            gone = await auth.call("GET", "/me", token=entered.body["access_token"])
            assert gone.code == "token_revoked"
        old = "select count(*) from users where id = $1"
        assert await auth_db.fetchval(old, pair["user"]["id"]) == 0


async def test_account_deletion_beside_refreshes_does_not_deadlock(auth: AuthClient) -> None:
    for round_ in range(10):
        pairs = [await auth.sign_in(f"+9198765434{round_:02d}") for _ in range(2)]
        refreshing = [
            auth.call("POST", "/refresh", json={"refresh_token": pair["refresh_token"]})
            for pair in pairs * 3
        ]
        deleting = auth.call("DELETE", "/me", token=pairs[0]["access_token"])
        *refreshed, deleted = await asyncio.gather(*refreshing, deleting)
        assert deleted.status == 204, deleted.body
        assert {answer.status for answer in refreshed} <= {200, 401}
        for answer in refreshed:
            token = answer.body.get("access_token", pairs[0]["access_token"])
            assert (await auth.call("GET", "/me", token=token)).code == "token_revoked"


async def test_account_deletion_by_browser_clears_cookies(auth: AuthClient) -> None:
    browser = await sign_in(auth, NUMBER)
    refused = await browser.call("DELETE", "/v1/auth/me", headers={"X-CSRF-Token": None})
    assert refused.code == "csrf_failed"
    answer = await browser.call("DELETE", "/v1/auth/me")
    assert answer.status == 204
    assert {name: one.value for name, one in cookies_set_by(answer).items()} == {
        ACCESS: "",
        REFRESH: "",
        CSRF: "",
    }
