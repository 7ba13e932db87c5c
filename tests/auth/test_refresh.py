"""Refresh tokens: rotated on every use, repeatable until the answer is used, deadly afterwards."""

import asyncio
from collections.abc import Callable
from typing import Any

from shared.opaque_tokens import SECRET_BYTES, encode_token
from tests.conftest import SECRET
from tests.support.auth_client import Answer, AuthClient
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.tokens import unverified_claims

NUMBER = "+919876543210"
OTHER_SECRET = "another-secret-of-the-test-suite-0123456789"


async def _refresh(auth: AuthClient, token: str) -> Answer:
    return await auth.call("POST", "/refresh", json={"refresh_token": token})


async def _alive(auth: AuthClient, access_token: str) -> bool:
    return (await auth.call("GET", "/me", token=access_token)).status == 200


async def test_refresh_rotates_the_token(auth: AuthClient) -> None:
    pair = await auth.sign_in(NUMBER)
    answer = await _refresh(auth, pair["refresh_token"])
    assert answer.status == 200
    assert answer.body["refresh_token"] != pair["refresh_token"]
    assert answer.body["access_token"] != pair["access_token"]
    assert answer.body["login_at"] == pair["login_at"]
    assert answer.body["user"]["id"] == pair["user"]["id"]
    assert await _alive(auth, answer.body["access_token"])


async def test_refresh_50_at_once_get_one_successor(auth: AuthClient) -> None:
    pair = await auth.sign_in(NUMBER)
    answers = await asyncio.gather(*(_refresh(auth, pair["refresh_token"]) for _ in range(50)))
    assert {answer.status for answer in answers} == {200}
    successors = {answer.body["refresh_token"] for answer in answers}
    assert len(successors) == 1
    assert (await _refresh(auth, successors.pop())).status == 200
    assert await _alive(auth, pair["access_token"])


async def test_refresh_repeated_after_successor_was_seen_works_only_in_grace(
    auth: AuthClient, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    first = await _refresh(auth, pair["refresh_token"])
    assert await _alive(auth, first.body["access_token"])
    clock.advance(seconds=9)
    again = await _refresh(auth, pair["refresh_token"])
    assert again.body["refresh_token"] == first.body["refresh_token"]
    clock.advance(seconds=2)
    assert (await _refresh(auth, pair["refresh_token"])).code == "refresh_reused"
    assert (await _refresh(auth, first.body["refresh_token"])).code == "refresh_invalid"
    assert not await _alive(auth, first.body["access_token"])


async def test_refresh_reused_token_revokes_family(auth: AuthClient, auth_db: Connection) -> None:
    pair = await auth.sign_in(NUMBER)
    second = await _refresh(auth, pair["refresh_token"])
    third = await _refresh(auth, second.body["refresh_token"])
    assert (await _refresh(auth, pair["refresh_token"])).code == "refresh_reused"
    assert (await _refresh(auth, third.body["refresh_token"])).code == "refresh_invalid"
    assert not await _alive(auth, third.body["access_token"])
    row = await auth_db.fetchrow("select kind, reason, published_at from revocations")
    assert row is not None
    assert (row["kind"], row["reason"]) == ("session", "refresh_reused")
    assert row["published_at"] is not None


async def test_refresh_reused_token_after_restart_is_refresh_reused(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth() as auth:
        pair = await auth.sign_in(NUMBER)
        second = await _refresh(auth, pair["refresh_token"])
        await _refresh(auth, second.body["refresh_token"])
    async with serving_auth() as auth:
        assert (await _refresh(auth, pair["refresh_token"])).code == "refresh_reused"


async def test_refresh_unknown_token_is_refresh_invalid_and_revokes_nothing(
    auth: AuthClient,
) -> None:
    pair = await auth.sign_in(NUMBER)
    forged = encode_token("chr_", bytes(SECRET_BYTES))
    for token in (forged, forged[:-1] + "x", "chr_", "", "é" * 53, pair["access_token"][:200]):
        assert (await _refresh(auth, token)).code == "refresh_invalid"
    assert (await _refresh(auth, pair["refresh_token"])).status == 200


async def test_refresh_after_14_idle_days_is_refresh_invalid(
    auth: AuthClient, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    clock.advance(days=13)
    second = await _refresh(auth, pair["refresh_token"])
    assert second.status == 200
    clock.advance(days=14, seconds=1)
    assert (await _refresh(auth, second.body["refresh_token"])).code == "refresh_invalid"


async def test_refresh_30_days_after_sign_in_is_refresh_invalid(
    auth: AuthClient, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    clock.advance(days=13)
    answer = await _refresh(auth, pair["refresh_token"])
    clock.advance(days=13)
    answer = await _refresh(auth, answer.body["refresh_token"])
    assert answer.body["refresh_expires_in"] <= 4 * 86400
    clock.advance(days=4, seconds=1)
    assert (await _refresh(auth, answer.body["refresh_token"])).code == "refresh_invalid"


async def test_access_token_expires_with_its_session_at_the_latest(
    serving_auth: Callable[..., Any], clock: MovableClock
) -> None:
    """Other services do not know when a session ends."""
    async with serving_auth(refresh_token_ttl=1000) as auth:
        pair = await auth.sign_in(NUMBER)
        assert pair["expires_in"] == 600
        end = unverified_claims(pair["access_token"])["iat"] + 1000
        clock.advance(seconds=950)
        pair = (await _refresh(auth, pair["refresh_token"])).body
        token = pair["access_token"]
        assert (await auth.call("POST", "/step-up", token=token)).status == 202
        code = {"otp": await auth.code(NUMBER, 2)}
        fresh = (await auth.call("POST", "/step-up", token=token, json=code)).body
        for answer in (pair, fresh):
            claims = unverified_claims(answer["access_token"])
            assert claims["iat"] < claims["exp"] <= end
            assert answer["expires_in"] == claims["exp"] - claims["iat"]


async def test_refresh_after_secret_rotation_gets_same_successor(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth() as auth:
        pair = await auth.sign_in(NUMBER)
        first = await _refresh(auth, pair["refresh_token"])
    async with serving_auth(secret_keys=f"{OTHER_SECRET},{SECRET}") as auth:
        again = await _refresh(auth, pair["refresh_token"])
        assert again.body["refresh_token"] == first.body["refresh_token"]
    async with serving_auth(secret_keys=OTHER_SECRET) as auth:
        # The old secret was dropped too early: unknown, but never taken for theft.
        unknown = await _refresh(auth, pair["refresh_token"])
        assert (unknown.status, unknown.code) == (503, "service_unavailable")
        assert (await _refresh(auth, first.body["refresh_token"])).status == 200


async def test_refresh_beside_logout_leaves_no_valid_token(auth: AuthClient) -> None:
    for round_ in range(20):
        pair = await auth.sign_in(f"+9198765432{round_:02d}")
        refreshed, ended = await asyncio.gather(
            _refresh(auth, pair["refresh_token"]),
            auth.call("POST", "/logout", token=pair["access_token"]),
        )
        assert ended.status == 204
        assert refreshed.status in {200, 401}
        if refreshed.status == 200:
            assert not await _alive(auth, refreshed.body["access_token"])
            dead = await _refresh(auth, refreshed.body["refresh_token"])
            assert dead.code == "refresh_invalid"
