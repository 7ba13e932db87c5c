"""What happens when PostgreSQL or Redis is away."""

from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis

from deploy.local.postgres import Postgres
from deploy.local.valkey import Valkey
from tests.support.auth_client import AuthClient
from tests.support.database import Connection

NUMBER = "+919876543210"
NOWHERE = "127.0.0.1:1"


async def test_signup_without_redis_is_503_and_service_is_not_ready(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(ready=False, redis_url=f"redis://{NOWHERE}/0") as auth:
        answer = await auth.request_code(NUMBER)
        assert (answer.status, answer.code) == (503, "service_unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
        async with auth.http.get("/readyz") as ready:
            assert ready.status == 503
            assert (await ready.json())["checks"]["redis"] is False
        async with auth.http.get("/healthz") as alive:
            assert alive.status == 200


async def test_signup_code_is_restored_and_counts_once_when_session_cannot_be_stored(
    auth: AuthClient, auth_db: Connection, redis: Redis
) -> None:
    sent = await auth.request_code(NUMBER)
    code = await auth.code(NUMBER)
    await auth_db.execute("begin; lock table users in access exclusive mode")
    answer = await auth.enter_code(NUMBER, code, sent.body["challenge"])
    assert (answer.status, answer.code) == (503, "service_unavailable")
    [funnel] = [key async for key in redis.scan_iter("otp_funnel:*")]
    assert await redis.hgetall(funnel) == {b"sent": b"1", b"proven": b"1"}
    await auth_db.execute("rollback")
    assert (await auth.enter_code(NUMBER, code, sent.body["challenge"])).status == 201
    assert await auth_db.fetchval("select count(*) from sessions") == 1
    assert await redis.hget(funnel, "proven") == b"1"


async def test_disabled_user_tokens_and_sign_in_are_refused(
    auth: AuthClient, auth_db: Connection
) -> None:
    pair = await auth.sign_in(NUMBER)
    await auth_db.execute("update users set status = 'disabled'")
    assert (await auth.call("GET", "/me", token=pair["access_token"])).code == "token_revoked"
    body = {"refresh_token": pair["refresh_token"]}
    assert (await auth.call("POST", "/refresh", json=body)).code == "refresh_invalid"
    await auth.request_code(NUMBER)
    answer = await auth.enter_code(NUMBER, await auth.code(NUMBER, 2))
    assert (answer.status, answer.code) == (403, "account_disabled")
    assert await auth_db.fetchval("select count(*) from sessions") == 1


async def test_auth_service_ready_exposes_metrics(
    auth: AuthClient, postgres: Postgres, valkey: Valkey
) -> None:
    assert await auth.ready()
    async with auth.http.get("/metrics") as metrics:
        text = await metrics.text()
    assert 'http_requests_total{method="GET",route="/readyz",status="200"}' in text
