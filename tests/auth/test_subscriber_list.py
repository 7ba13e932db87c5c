"""The list of subscribers that administrators see, and the round that a new one gets."""

from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from auth_service.revocation import service
from shared.revocation.catch_up import PublisherRounds
from shared.revocation.message import REVOCATION_HEAD
from shared.revocation.stream_cursor import StreamPosition
from tests.auth.subscriber_audience import read_head, say
from tests.auth.test_admin import make_admin
from tests.support.auth_client import AuthClient
from tests.support.database import Connection
from tests.support.waiting import until


async def test_admin_sees_each_subscriber(
    serving_auth: Callable[..., Any], auth_db: Connection, redis: Redis
) -> None:
    async with serving_auth() as auth:
        admin = await make_admin(auth, auth_db)
        epoch, _ = await read_head(redis)
        await say(redis, "media-1", StreamPosition(epoch, (5000, 1)), 3)
        await say(redis, "media-2", StreamPosition(epoch, (2500, 0)), None)
        await say(redis, "media-3", StreamPosition(), 3)

        async def items() -> list[Any]:
            answer = await auth.call("GET", "/admin/subscribers", token=admin)
            assert answer.status == 200, answer.body
            return list(answer.body["items"])

        async def complete() -> bool:
            return len(await items()) == 3

        await until(complete)
        shown = await items()
        assert all(one.pop("last_heard_at").endswith("Z") for one in shown)
        assert shown == [
            {"subscriber": "media-1", "applied": "5000-1", "lag": 0.0, "max_staleness": 3.0},
            {"subscriber": "media-2", "applied": "2500-0", "lag": 2.5, "max_staleness": None},
            {"subscriber": "media-3", "applied": "0-0", "lag": None, "max_staleness": 3.0},
        ]


async def test_plain_user_does_not_see_the_subscribers(auth: AuthClient) -> None:
    pair = await auth.sign_in("+919876543210")
    answer = await auth.call("GET", "/admin/subscribers", token=pair["access_token"])
    assert answer.status == 403


async def test_subscriber_that_starts_gets_a_round_at_once(
    serving_auth: Callable[..., Any], redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ROUND_PAUSE_SECONDS", 60)
    monkeypatch.setattr(service, "CATCH_UP_PAUSE_SECONDS", 60)
    async with serving_auth():
        before: Any = await redis.hgetall(REVOCATION_HEAD)
        await say(redis, "new", StreamPosition(), 0)

        async def complete() -> bool:
            head: Any = await redis.hgetall(REVOCATION_HEAD)
            return PublisherRounds.of(head).complete > PublisherRounds.of(before).started

        await until(complete, 2)
