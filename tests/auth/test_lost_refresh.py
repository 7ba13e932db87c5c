"""A refresh whose answer was lost: repeated until the successor is used, theft from then on."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from shared.revocation.message import REVOCATION_STREAM
from tests.conftest import SECRET
from tests.support.auth_client import Answer, AuthClient, many_at_once
from tests.support.browser import Browser, sign_in
from tests.support.clock import MovableClock
from tests.support.database import Connection, count_waiting
from tests.support.waiting import until

NUMBER = "+919876543210"


async def refresh(auth: AuthClient, token: str) -> Answer:
    return await auth.call("POST", "/refresh", json={"refresh_token": token})


async def successor(auth: AuthClient, token: str) -> dict[str, Any]:
    """The answer to a refresh that succeeds."""
    answer = await refresh(auth, token)
    assert answer.status == 200, answer.body
    pair: dict[str, Any] = answer.body
    return pair


async def is_alive(auth: AuthClient, access_token: str) -> bool:
    return (await auth.call("GET", "/me", token=access_token)).status == 200


async def test_refresh_repeated_after_a_lost_answer_gets_the_same_successor(
    auth: AuthClient, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    lost = await successor(auth, pair["refresh_token"])
    clock.advance(hours=1)
    again = await successor(auth, pair["refresh_token"])
    clock.advance(days=13)
    last = await successor(auth, pair["refresh_token"])
    assert lost["refresh_token"] == again["refresh_token"] == last["refresh_token"]
    assert last["refresh_expires_in"] < 86_400
    assert await is_alive(auth, last["access_token"])
    assert (await refresh(auth, lost["refresh_token"])).status == 200


async def test_refresh_repeated_100_times_at_once_on_two_replicas_is_one_lineage(
    serving_auth: Callable[..., Any], auth_db: Connection, clock: MovableClock
) -> None:
    async with serving_auth() as one, serving_auth() as other:
        pair = await one.sign_in(NUMBER)
        lost = await successor(one, pair["refresh_token"])
        clock.advance(hours=1)
        async with many_at_once(one) as first, many_at_once(other) as second:
            calls = [refresh(auth, pair["refresh_token"]) for auth in (first, second) * 50]
            answers = await asyncio.gather(*calls)
        assert {answer.status for answer in answers} == {200}
        assert {answer.body["refresh_token"] for answer in answers} == {lost["refresh_token"]}
        assert await auth_db.fetchval("select count(*) from tokens") == 2
        assert await auth_db.fetchval("select rotations from sessions") == 1
        assert (await refresh(other, lost["refresh_token"])).status == 200


async def test_refresh_repeated_past_the_successors_life_is_invalid(
    serving_auth: Callable[..., Any], auth_db: Connection, clock: MovableClock
) -> None:
    async with serving_auth(session_idle_ttl=60) as auth:
        pair = await auth.sign_in(NUMBER)
        await successor(auth, pair["refresh_token"])
    clock.advance(seconds=61)
    async with serving_auth() as auth:  # a longer idle time came with a new setting
        assert (await refresh(auth, pair["refresh_token"])).code == "refresh_invalid"
    assert await auth_db.fetchval("select count(*) from revocations") == 0


@pytest.mark.parametrize("used_by", ["access token", "refresh token"])
async def test_refresh_repeated_after_the_successor_was_used_is_theft(
    auth: AuthClient, auth_db: Connection, redis: Redis, clock: MovableClock, used_by: str
) -> None:
    pair = await auth.sign_in(NUMBER)
    newest = await successor(auth, pair["refresh_token"])
    if used_by == "access token":
        assert await is_alive(auth, newest["access_token"])
    else:
        newest = await successor(auth, newest["refresh_token"])
    clock.advance(hours=1)
    assert (await refresh(auth, pair["refresh_token"])).code == "refresh_reused"
    assert (await refresh(auth, newest["refresh_token"])).code == "refresh_invalid"
    event = "select outcome from audit_events where event = 'session.reuse_detected'"
    assert await auth_db.fetchval(event) == "failure"
    messages: Any = await redis.xrange(REVOCATION_STREAM)
    assert "refresh_reused" in str(messages)


async def test_refresh_repeated_as_the_successor_is_first_used_keeps_one_lineage(
    auth: AuthClient, clock: MovableClock
) -> None:
    for round_ in range(20):
        pair = await auth.sign_in(f"+9198765433{round_:02d}")
        lost = await successor(auth, pair["refresh_token"])
        clock.advance(seconds=11)
        repeated, used = await asyncio.gather(
            refresh(auth, pair["refresh_token"]),
            auth.call("GET", "/me", token=lost["access_token"]),
        )
        if repeated.status == 200:  # it came first
            assert used.status == 200
            assert repeated.body["refresh_token"] == lost["refresh_token"]
            assert (await refresh(auth, pair["refresh_token"])).code == "refresh_reused"
        else:
            assert repeated.code == "refresh_reused"
        assert not await is_alive(auth, lost["access_token"])


async def test_refresh_token_stolen_before_its_successor_was_used_is_detected(
    auth: AuthClient, clock: MovableClock
) -> None:
    """Owner and thief hold the same successor until one of them uses its own."""
    pair = await auth.sign_in(NUMBER)
    owner = await successor(auth, pair["refresh_token"])
    clock.advance(hours=1)
    thief = await successor(auth, pair["refresh_token"])
    assert thief["refresh_token"] == owner["refresh_token"]
    thief = await successor(auth, thief["refresh_token"])
    assert await is_alive(auth, thief["access_token"])
    clock.advance(seconds=11)
    assert (await refresh(auth, owner["refresh_token"])).code == "refresh_reused"
    assert not await is_alive(auth, thief["access_token"])
    assert (await refresh(auth, thief["refresh_token"])).code == "refresh_invalid"


async def test_first_use_of_a_successor_writes_once(auth: AuthClient, auth_db: Connection) -> None:
    version = "select xmin::text from sessions"
    pair = await auth.sign_in(NUMBER)
    written = await auth_db.fetchval(version)
    assert await is_alive(auth, pair["access_token"])
    assert await auth_db.fetchval(version) == written
    new = await successor(auth, pair["refresh_token"])
    written = await auth_db.fetchval(version)
    assert await is_alive(auth, pair["access_token"])  # the token before says nothing
    assert await auth_db.fetchval(version) == written
    async with many_at_once(auth) as clients:
        used = await asyncio.gather(*(is_alive(clients, new["access_token"]) for _ in range(20)))
    assert all(used)
    first = await auth_db.fetchval(version)
    assert first != written
    assert await is_alive(auth, new["access_token"])
    assert await auth_db.fetchval(version) == first


async def test_first_use_of_a_successor_is_answered_after_it_is_stored(
    auth: AuthClient, auth_db: Connection
) -> None:
    """Else a crash in between would let the token before be repeated after an answer."""
    pair = await auth.sign_in(NUMBER)
    new = await successor(auth, pair["refresh_token"])
    async with auth_db.transaction():
        await auth_db.execute("select 1 from sessions for update")
        using = asyncio.create_task(auth.call("GET", "/me", token=new["access_token"]))
        await until(lambda: count_waiting(auth_db))
        assert not using.done()
    assert (await using).status == 200
    assert await auth_db.fetchval("select rotations_seen from sessions") == 1


async def test_step_up_by_previous_access_token_leaves_the_successor_unseen(
    auth: AuthClient, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    lost = await successor(auth, pair["refresh_token"])
    assert (await auth.call("POST", "/step-up", json={}, token=pair["access_token"])).status == 202
    otp = {"otp": await auth.code(NUMBER, 2)}
    fresh = await auth.call("POST", "/step-up", json=otp, token=pair["access_token"])
    assert await is_alive(auth, fresh.body["access_token"])
    clock.advance(seconds=11)
    again = await successor(auth, pair["refresh_token"])
    assert again["refresh_token"] == lost["refresh_token"]


@pytest.mark.parametrize("path", ["/logout", "/logout-all"])
async def test_refresh_repeated_after_a_sign_out_is_invalid(
    auth: AuthClient, clock: MovableClock, path: str
) -> None:
    pair = await auth.sign_in(NUMBER)
    await successor(auth, pair["refresh_token"])
    assert (await auth.call("POST", path, token=pair["access_token"])).status == 204
    clock.advance(hours=1)
    assert (await refresh(auth, pair["refresh_token"])).code == "refresh_invalid"


async def test_refresh_repeated_after_the_secrets_rotated_gets_the_same_successor(
    serving_auth: Callable[..., Any], clock: MovableClock
) -> None:
    async with serving_auth() as auth:
        pair = await auth.sign_in(NUMBER)
        lost = await successor(auth, pair["refresh_token"])
    clock.advance(hours=1)
    rotated = f"another-secret-of-the-test-suite-0123456789,{SECRET}"
    async with serving_auth(secret_keys=rotated) as auth:
        again = await successor(auth, pair["refresh_token"])
        assert again["refresh_token"] == lost["refresh_token"]


async def test_browser_whose_answer_was_lost_refreshes_again_an_hour_later(
    auth: AuthClient, clock: MovableClock
) -> None:
    browser = await sign_in(auth, NUMBER)
    before = Browser(auth.http, dict(browser.jar))
    assert (await browser.call("POST", "/v1/auth/refresh")).status == 200
    clock.advance(hours=1)
    assert (await before.call("POST", "/v1/auth/refresh")).status == 200
    assert before.jar["__Secure-refresh"] == browser.jar["__Secure-refresh"]
    assert (await before.call("GET", "/v1/auth/me")).status == 200
