"""The code funnel: what an hour of codes shows of a spread attack."""

from collections.abc import AsyncIterator
from math import isnan

import pytest
import structlog
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from auth_service.delivery.metrics import DeliveryMetrics
from auth_service.otp.funnel import CodeFunnel
from deploy.local.valkey import Valkey
from shared.redis import open_redis
from tests.support.clock import MovableClock


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
async def funnel(
    valkey: Valkey, redis: Redis, clock: MovableClock, registry: CollectorRegistry
) -> AsyncIterator[CodeFunnel]:
    await redis.ping()
    async with open_redis(valkey.url()) as batched:
        yield CodeFunnel(batched, clock, registry, DeliveryMetrics(registry))


def ratio(registry: CollectorRegistry) -> float:
    value = registry.get_sample_value("otp_conversion_ratio")
    assert value is not None
    return value


async def count(redis: Redis, funnel: CodeFunnel, **stages: int) -> None:
    """Count as the scripts do, in the bucket of now."""
    for stage, number in stages.items():
        await redis.hincrby(funnel.bucket_key(), stage, number)


async def test_funnel_without_codes_has_no_ratio(
    funnel: CodeFunnel, registry: CollectorRegistry
) -> None:
    assert await funnel.measure() == {"sent": 0, "proven": 0, "wrong": 0}
    assert isnan(ratio(registry))


async def test_funnel_adds_the_buckets_of_the_last_hour_alone(
    funnel: CodeFunnel, redis: Redis, clock: MovableClock, registry: CollectorRegistry
) -> None:
    await count(redis, funnel, sent=30, proven=30)
    clock.advance(minutes=40)
    await count(redis, funnel, sent=8, proven=2)
    clock.advance(minutes=30)
    await count(redis, funnel, sent=2, proven=3)
    assert await funnel.measure() == {"sent": 10, "proven": 5, "wrong": 0}
    assert ratio(registry) == 0.5


@pytest.mark.parametrize(
    ("sent", "proven", "wrong", "warned"),
    [
        (50, 4, 0, True),
        (50, 5, 0, False),
        (49, 0, 0, False),  # too few to say anything
        (50, 50, 50, True),
        (50, 50, 49, False),
        (0, 0, 50, True),
        (200, 100, 199, False),
    ],
)
async def test_funnel_hour_of_few_proven_or_many_wrong_codes_is_warned_of(
    funnel: CodeFunnel, redis: Redis, sent: int, proven: int, wrong: int, *, warned: bool
) -> None:
    await count(redis, funnel, sent=sent, proven=proven, wrong=wrong)
    with structlog.testing.capture_logs() as logs:
        await funnel.measure()
    warnings = [entry for entry in logs if entry["event"] == "otp.abuse_suspected"]
    totals = {"sent": sent, "proven": proven, "wrong": wrong}
    expected = {"event": "otp.abuse_suspected", "log_level": "warning", **totals}
    assert warnings == ([expected] if warned else [])
