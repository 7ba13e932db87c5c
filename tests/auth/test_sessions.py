"""Signing out, here and everywhere, and the list of devices."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from shared.revocation.message import REVOCATION_STREAM, decode
from tests.conftest import REVOCATION_KEY
from tests.support.auth_client import AuthClient
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.waiting import until

NUMBER = "+919876543210"
OTHER = "+919876543211"


async def _messages(redis: Redis) -> list[dict[str, Any]]:
    """What was told; what was told twice, as the publisher's first round may, counts once."""
    entries: Any = await redis.xrange(REVOCATION_STREAM)
    messages = [json.loads(fields[b"m"]) for _, fields in entries]
    return list({str(message["entries"]): message for message in messages}.values())


async def test_logout_ends_this_session_alone_and_is_published(
    auth: AuthClient, redis: Redis
) -> None:
    here, there = await auth.sign_in(NUMBER), await auth.sign_in(NUMBER)
    assert (await auth.call("POST", "/logout", token=here["access_token"])).status == 204
    refused = await auth.call("GET", "/me", token=here["access_token"])
    assert (refused.status, refused.code) == (401, "token_revoked")
    assert "WWW-Authenticate" in refused.headers
    assert (await auth.call("GET", "/me", token=there["access_token"])).status == 200
    [message] = await _messages(redis)
    assert message["v"] == 1
    assert [entry["kind"] for entry in message["entries"]] == ["session"]
    epoch: Any = await redis.hget("revocations:head", "epoch")
    assert message["epoch"] == epoch.decode()


async def test_logout_message_is_published_and_signed(auth: AuthClient, redis: Redis) -> None:
    pair = await auth.sign_in(NUMBER)
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe("revocations")
        await auth.call("POST", "/logout", token=pair["access_token"])
        message = None
        async with asyncio.timeout(15):
            while message is None or message["type"] != "message":
                message = await pubsub.get_message(timeout=1)
    assert len(message["data"]) <= 512
    head: dict[Any, Any] = await redis.hgetall("revocations:head")
    assert json.loads(message["data"])["id"].encode() == head[b"last"]
    [revocation] = decode(message["data"], [REVOCATION_KEY.encode()]).revocations
    assert revocation.reason == "logout"


async def test_logout_repeated_is_204_and_published_once(auth: AuthClient, redis: Redis) -> None:
    pair = await auth.sign_in(NUMBER)
    for _ in range(2):
        answer = await auth.call("POST", "/logout", token=pair["access_token"], json={})
        assert answer.status == 204
    # The same one may stand there twice, when an epoch began meanwhile.
    ids = {entry["id"] for message in await _messages(redis) for entry in message["entries"]}
    assert len(ids) == 1


async def test_logout_all_revokes_every_token_and_raises_generation(
    auth: AuthClient, redis: Redis, auth_db: Connection
) -> None:
    pairs = [await auth.sign_in(NUMBER) for _ in range(3)]
    other = await auth.sign_in(OTHER)
    assert (await auth.call("POST", "/logout-all", token=pairs[0]["access_token"])).status == 204
    for pair in pairs:
        assert (await auth.call("GET", "/me", token=pair["access_token"])).code == "token_revoked"
        body = {"refresh_token": pair["refresh_token"]}
        assert (await auth.call("POST", "/refresh", json=body)).code == "refresh_invalid"
    assert (await auth.call("GET", "/me", token=other["access_token"])).status == 200
    assert await auth_db.fetchval("select max(generation) from users") == 1
    [message] = await _messages(redis)
    assert message["entries"][0]["generation"] == 1
    again = await auth.sign_in(NUMBER)
    assert (await auth.call("GET", "/me", token=again["access_token"])).status == 200


async def test_logout_all_beside_sign_in_ends_the_new_session(
    auth: AuthClient, auth_db: Connection
) -> None:
    """The sign-in that is answered first is ended by the sign-out that is answered second."""
    here = await auth.sign_in(NUMBER)
    sent = await auth.request_code(NUMBER)
    code = await auth.code(NUMBER, 2)
    await auth_db.execute("begin; select 1 from users for update")  # both wait for this
    entering = asyncio.create_task(auth.enter_code(NUMBER, code, sent.body["challenge"]))
    await _waiting_for_a_lock(auth_db, 1)
    ending = asyncio.create_task(auth.call("POST", "/logout-all", token=here["access_token"]))
    await _waiting_for_a_lock(auth_db, 2)
    await auth_db.execute("commit")
    entered, ended = await entering, await ending
    assert (entered.status, ended.status) == (200, 204)
    body = {"refresh_token": entered.body["refresh_token"]}
    assert (await auth.call("POST", "/refresh", json=body)).code == "refresh_invalid"
    assert (await auth.call("GET", "/me", token=entered.body["access_token"])).status == 401


async def _waiting_for_a_lock(auth_db: Connection, count: int) -> None:
    async def enough() -> bool:
        await auth_db.execute("select pg_stat_clear_snapshot()")  # else a transaction sees one view
        query = (
            "select count(*) from pg_stat_activity"
            " where wait_event_type = 'Lock' and datname = current_database()"
        )
        return bool(await auth_db.fetchval(query) >= count)

    await until(enough)


async def test_logout_all_except_current_ends_other_sessions(
    auth: AuthClient, redis: Redis
) -> None:
    here, *others = [await auth.sign_in(NUMBER) for _ in range(3)]
    body = {"except_current": True}
    answer = await auth.call("POST", "/logout-all", token=here["access_token"], json=body)
    assert answer.status == 204
    assert (await auth.call("GET", "/me", token=here["access_token"])).status == 200
    for pair in others:
        assert (await auth.call("GET", "/me", token=pair["access_token"])).code == "token_revoked"
    entries = [entry for message in await _messages(redis) for entry in message["entries"]]
    assert [entry["kind"] for entry in entries] == ["session", "session"]


async def test_sessions_list_shows_devices_and_pages(auth: AuthClient) -> None:
    headers = {"User-Agent": "Phone/1"}
    pairs = [await auth.sign_in(NUMBER, headers=headers) for _ in range(3)]
    token = pairs[-1]["access_token"]
    first = await auth.call("GET", "/sessions", token=token, params={"limit": "2"})
    cursor = first.body["next_cursor"]
    rest = await auth.call("GET", "/sessions", token=token, params={"limit": "2", "cursor": cursor})
    items = first.body["items"] + rest.body["items"]
    assert len({item["id"] for item in items}) == 3
    assert rest.body["next_cursor"] is None
    assert [item["current"] for item in items] == [True, False, False]
    assert items[0]["user_agent"] == "Phone/1"
    assert items[0]["ip"] == "127.0.0.1"
    assert items[0]["amr"] == ["otp", "sms"]
    assert items[0]["created_at"].endswith("Z")


async def test_session_delete_ends_own_session_and_foreign_is_404(auth: AuthClient) -> None:
    here, there = await auth.sign_in(NUMBER), await auth.sign_in(NUMBER)
    stranger = await auth.sign_in(OTHER)
    listed = await auth.call("GET", "/sessions", token=there["access_token"])
    [target] = [item["id"] for item in listed.body["items"] if not item["current"]]
    path = f"/sessions/{target}"
    assert (await auth.call("DELETE", path, token=stranger["access_token"])).code == "not_found"
    assert (await auth.call("GET", "/me", token=here["access_token"])).status == 200
    for _ in range(2):
        assert (await auth.call("DELETE", path, token=there["access_token"])).status == 204
    assert (await auth.call("GET", "/me", token=here["access_token"])).code == "token_revoked"


async def test_access_token_past_lifetime_is_token_invalid(
    auth: AuthClient, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    clock.advance(seconds=629)
    assert (await auth.call("GET", "/me", token=pair["access_token"])).status == 200
    clock.advance(seconds=2)
    assert (await auth.call("GET", "/me", token=pair["access_token"])).code == "token_invalid"


async def test_jwks_is_public_and_cacheable(auth: AuthClient) -> None:
    answer = await auth.call("GET", "/.well-known/jwks.json")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    [key] = answer.body["keys"]
    assert set(key) == {"kty", "crv", "x", "kid", "use", "alg"}
    async with auth.http.get("/.well-known/jwks.json") as at_root:
        assert await at_root.json() == answer.body


async def test_dev_inbox_with_public_url_is_404(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(public_url="https://sign-in.example") as auth:
        answer = await auth.call("GET", "/dev/inbox", params={"to": NUMBER})
        assert answer.code == "not_found"
        assert "PUBLIC_URL is https://sign-in.example" in answer.body["detail"]


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://api.shop.localhost:8000"])
async def test_inbox_local_names_are_answered(serving_auth: Callable[..., Any], url: str) -> None:
    async with serving_auth(public_url=url) as auth:
        for host in ("localhost:8000", "127.0.0.1", "[::1]:8000", "api.shop.localhost:8000"):
            inbox = await auth.call(
                "GET", "/dev/inbox", params={"to": NUMBER}, headers={"Host": host}
            )
            assert inbox.status == 200, host


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "[::", ""])
async def test_dev_inbox_foreign_host_is_refused(auth: AuthClient, host: str) -> None:
    """A page elsewhere whose name was made to resolve to this machine."""
    answer = await auth.call("GET", "/dev/inbox", params={"to": NUMBER}, headers={"Host": host})
    assert answer.status in {400, 404}
    assert (await auth.call("GET", "/dev/inbox", params={"to": NUMBER})).status == 200
