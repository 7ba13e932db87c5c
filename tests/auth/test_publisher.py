"""Revocations reach the stream: at once, late, or again after Redis lost everything."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from auth_service.revocation.repository import LOCK
from shared.clock import SystemClock
from shared.errors import TokenRevoked
from shared.jwks import parse_jwks
from shared.revocation import subscriber
from shared.revocation.cache import RevocationCache
from shared.revocation.message import REVOCATION_HEAD, REVOCATION_STREAM
from shared.revocation.subscriber import open_revocation_cache
from shared.tokens import TokenVerifier
from tests.conftest import AUDIENCE, ISSUER, REVOCATION_KEY
from tests.support.auth_client import AuthClient
from tests.support.database import Connection
from tests.support.waiting import until

NUMBER = "+919876543210"


@asynccontextmanager
async def _cache(url: str) -> AsyncIterator[RevocationCache]:
    async with open_revocation_cache(url, [REVOCATION_KEY.encode()], SystemClock()) as cache:

        async def is_fresh() -> bool:
            return cache.is_fresh

        await until(is_fresh)
        yield cache


async def _verifier(auth: AuthClient) -> TokenVerifier:
    verifier = TokenVerifier(ISSUER, AUDIENCE, SystemClock())
    verifier.set_keys(parse_jwks((await auth.call("GET", "/.well-known/jwks.json")).body))
    return verifier


async def test_auth_service_without_an_epoch_is_not_ready(
    serving_auth: Callable[..., Any], auth_db: Connection
) -> None:
    await auth_db.execute("begin")
    await auth_db.fetchval(
        "select pg_advisory_xact_lock($1)", LOCK
    )  # another replica is rebuilding the stream
    async with serving_auth(ready=False) as auth:
        pair = await auth.sign_in(NUMBER)
        async with auth.http.get("/readyz") as answer:
            said = await answer.json()
            assert (answer.status, said["checks"]["revocations"]) == (503, False)
            assert "no replica has written the revocations" in said["reasons"]["revocations"]
        pending = await auth.call("POST", "/logout", token=pair["access_token"])
        assert (pending.status, pending.code) == (503, "revocation_pending")
        await auth_db.execute("rollback")
        await until(auth.ready)


async def test_logout_revokes_the_token_at_another_service_at_once(
    auth: AuthClient, valkey: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriber, "HEAD_CHECK_SECONDS", 60)  # so that only the channel tells
    pair = await auth.sign_in(NUMBER)
    claims = (await _verifier(auth)).verify(pair["access_token"])
    async with _cache(valkey.url()) as cache:
        cache.check(claims)
        await auth.call("POST", "/logout", token=pair["access_token"])

        async def refused() -> bool:
            try:
                cache.check(claims)
            except TokenRevoked:
                return True
            return False

        await until(refused)


async def test_logout_while_redis_refuses_writes_is_pending_and_published_later(
    auth: AuthClient, redis: Redis, auth_db: Connection
) -> None:
    pair = await auth.sign_in(NUMBER)
    await redis.config_set("min-replicas-to-write", 1)  # every write is refused
    try:
        answer = await auth.call("POST", "/logout", token=pair["access_token"])
        assert (answer.status, answer.code) == (503, "revocation_pending")
        assert int(answer.headers["Retry-After"]) >= 1
        # It holds all the same where PostgreSQL is asked.
        me = await auth.call("GET", "/me", token=pair["access_token"])
        assert me.code == "token_revoked"
    finally:
        await redis.config_set("min-replicas-to-write", 0)

    async def published() -> bool:
        query = "select count(*) from revocations where published_at is not null"
        return bool(await auth_db.fetchval(query) == 1)

    await until(published)
    assert await redis.xlen(REVOCATION_STREAM) >= 1
    assert (await auth.call("POST", "/logout", token=pair["access_token"])).status == 204


async def test_wiped_redis_is_rebuilt(auth: AuthClient, redis: Redis, valkey: Any) -> None:
    pair = await auth.sign_in(NUMBER)
    claims = (await _verifier(auth)).verify(pair["access_token"])
    await auth.call("POST", "/logout", token=pair["access_token"])
    before = await redis.hget(REVOCATION_HEAD, "epoch")
    await redis.flushall()

    async def new_epoch() -> bool:
        return await redis.hget(REVOCATION_HEAD, "epoch") not in {None, before}

    await until(new_epoch)
    async with _cache(valkey.url()) as cache:
        with pytest.raises(TokenRevoked):
            cache.check(claims)


async def test_replicas_starting_together_start_one_epoch(
    serving_auth: Callable[..., Any], redis: Redis
) -> None:
    async with serving_auth(ready=False) as one, serving_auth(ready=False) as two:
        epochs = set()
        await until(one.ready)
        await until(two.ready)
        for client in (one, two):
            pair = await client.sign_in(NUMBER)
            answer = await client.call("POST", "/logout", token=pair["access_token"])
            assert answer.status == 204
            epochs.add(await redis.hget(REVOCATION_HEAD, "epoch"))
        assert len(epochs) == 1


async def test_raised_generation_revokes_earlier_tokens(
    auth: AuthClient, auth_db: Connection
) -> None:
    """As when roles change: the session goes on, the tokens of before do not."""
    pair = await auth.sign_in(NUMBER)
    await auth_db.execute("update users set generation = generation + 1")
    refused = await auth.call("GET", "/me", token=pair["access_token"])
    assert (refused.status, refused.code) == (401, "token_revoked")
    body = {"refresh_token": pair["refresh_token"]}
    fresh = await auth.call("POST", "/refresh", json=body)
    assert (await auth.call("GET", "/me", token=fresh.body["access_token"])).status == 200
