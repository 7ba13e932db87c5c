"""Signing out by the refresh token, which outlives the access token."""

import pytest
from redis.asyncio import Redis

from shared.opaque_tokens import SECRET_BYTES, encode_token
from tests.support.auth_client import Answer, AuthClient
from tests.support.browser import sign_in
from tests.support.clock import MovableClock
from tests.support.database import Connection

NUMBER = "+919876543210"
ENDED = "select count(*) from sessions where revoked_reason = 'logout'"
FORGED = encode_token("chr_", bytes(SECRET_BYTES))


async def log_out(auth: AuthClient, refresh_token: object, access_token: str | None) -> Answer:
    body = {"refresh_token": refresh_token}
    return await auth.call("POST", "/logout", json=body, token=access_token)


async def refresh(auth: AuthClient, refresh_token: str) -> Answer:
    return await auth.call("POST", "/refresh", json={"refresh_token": refresh_token})


@pytest.mark.parametrize("beside", ["expired access token", "foreign token", "nothing"])
async def test_logout_by_refresh_token_ends_the_session(
    auth: AuthClient, clock: MovableClock, auth_db: Connection, beside: str
) -> None:
    pair, other = await auth.sign_in(NUMBER), await auth.sign_in(NUMBER)
    clock.advance(minutes=11)
    access = {"expired access token": pair["access_token"], "foreign token": "a.b.c"}.get(beside)
    for _ in range(2):
        assert (await log_out(auth, pair["refresh_token"], access)).status == 204
    assert (await refresh(auth, pair["refresh_token"])).code == "refresh_invalid"
    assert (await refresh(auth, other["refresh_token"])).status == 200
    assert await auth_db.fetchval(ENDED) == 1
    event = "select count(*) from audit_events where event = 'user.signed_out'"
    assert await auth_db.fetchval(event) == 1


async def test_logout_by_refresh_token_revokes_its_access_tokens(auth: AuthClient) -> None:
    pair = await auth.sign_in(NUMBER)
    assert (await log_out(auth, pair["refresh_token"], None)).status == 204
    refused = await auth.call("GET", "/me", token=pair["access_token"])
    assert refused.code == "token_revoked"


async def test_logout_by_exchanged_refresh_token_ends_the_session(
    auth: AuthClient, auth_db: Connection
) -> None:
    pair = await auth.sign_in(NUMBER)
    new = (await refresh(auth, pair["refresh_token"])).body
    newest = (await refresh(auth, new["refresh_token"])).body
    assert (await log_out(auth, pair["refresh_token"], None)).status == 204
    assert (await refresh(auth, newest["refresh_token"])).code == "refresh_invalid"
    assert await auth_db.fetchval(ENDED) == 1


async def test_logout_tokens_of_two_sessions_ends_both(
    auth: AuthClient, auth_db: Connection
) -> None:
    one, other = await auth.sign_in(NUMBER), await auth.sign_in(NUMBER)
    assert (await log_out(auth, one["refresh_token"], other["access_token"])).status == 204
    assert await auth_db.fetchval(ENDED) == 2


@pytest.mark.parametrize("refresh_token", [FORGED, "x", "", None, "é"])
async def test_logout_invalid_refresh_token_beside_access_token_ends_its_session(
    auth: AuthClient, auth_db: Connection, refresh_token: str | None
) -> None:
    pair = await auth.sign_in(NUMBER)
    assert (await log_out(auth, refresh_token, pair["access_token"])).status == 204
    assert await auth_db.fetchval(ENDED) == 1


@pytest.mark.parametrize("refresh_token", ["", None])
async def test_logout_without_any_token_is_token_missing(
    auth: AuthClient, refresh_token: str | None
) -> None:
    assert (await log_out(auth, refresh_token, None)).code == "token_missing"


async def test_logout_by_unknown_refresh_token_ends_nothing(
    auth: AuthClient, auth_db: Connection
) -> None:
    await auth.sign_in(NUMBER)
    assert (await log_out(auth, FORGED, None)).status == 204
    assert await auth_db.fetchval(ENDED) == 0


async def test_logout_expired_session_is_204(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    clock.advance(days=40)
    assert (await log_out(auth, pair["refresh_token"], pair["access_token"])).status == 204
    await auth_db.execute("delete from sessions")
    assert (await log_out(auth, pair["refresh_token"], pair["access_token"])).status == 204


async def test_logout_by_body_refresh_token_leaves_cookie_session(
    auth: AuthClient,
) -> None:
    """Else a page that may call us could sign a browser out by any text."""
    browser = await sign_in(auth, NUMBER)
    body = {"refresh_token": FORGED}
    answer = await browser.call("POST", "/v1/auth/logout", json=body)
    assert answer.status == 204
    assert "Set-Cookie" not in answer.headers
    assert (await browser.call("GET", "/v1/auth/me")).status == 200


async def test_logout_by_refresh_token_without_redis_is_pending_and_repeatable(
    auth: AuthClient, auth_db: Connection, redis: Redis
) -> None:
    pair = await auth.sign_in(NUMBER)
    await redis.config_set("min-replicas-to-write", 1)  # every write is refused
    try:
        pending = await log_out(auth, pair["refresh_token"], None)
        assert (pending.status, pending.code) == (503, "revocation_pending")
    finally:
        await redis.config_set("min-replicas-to-write", 0)
    assert (await log_out(auth, pair["refresh_token"], None)).status == 204
    unpublished = "select count(*) from revocations where published_at is null"
    assert await auth_db.fetchval(unpublished) == 0
