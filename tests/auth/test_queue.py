"""Whose a delivery is: the worker's that took it, until it has been silent for too long."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from auth_service.delivery.model import DEAD_LETTERS, GROUP, STREAM, SealedDelivery
from auth_service.delivery.queue import STALE_MS, DeliveryConsumer, DeliveryProducer
from deploy.local.valkey import Valkey
from shared.errors import ServiceUnavailable
from shared.redis import open_redis
from tests.support.providers import FakeProvider


@pytest.fixture
async def workers(
    valkey: Valkey, redis: Redis
) -> AsyncIterator[tuple[DeliveryConsumer, DeliveryConsumer]]:
    """Two of them, and one delivery that waits."""
    await redis.ping()
    async with open_redis(valkey.url()) as batched:
        first, second = DeliveryConsumer(batched, "first"), DeliveryConsumer(batched, "second")
        await first.create_group()
        await DeliveryProducer(batched).enqueue("delivery", b"sealed", 2**42)
        yield first, second


async def expire_claim(redis: Redis, entry: SealedDelivery) -> None:
    """As if its worker had not been heard of for longer than a live one ever is."""
    await redis.xclaim(STREAM, GROUP, "first", 0, [entry.stream_id], idle=STALE_MS + 1)


async def test_queue_claimed_delivery_is_not_given_to_another_worker(
    workers: tuple[DeliveryConsumer, DeliveryConsumer],
) -> None:
    first, second = workers
    [entry] = await first.claim(9)
    assert await second.claim(9) == []
    assert await second.begin_attempt(entry, "provider") == "lost"
    assert await first.begin_attempt(entry, "provider") == "go"


async def test_queue_renewed_claim_is_kept(
    workers: tuple[DeliveryConsumer, DeliveryConsumer], redis: Redis
) -> None:
    first, second = workers
    [entry] = await first.claim(9)
    await expire_claim(redis, entry)
    assert await first.renew([entry.stream_id]) == set()
    assert await second.claim(9) == []


async def test_queue_expired_claim_moves_to_another_worker(
    workers: tuple[DeliveryConsumer, DeliveryConsumer], redis: Redis
) -> None:
    first, second = workers
    [entry] = await first.claim(9)
    await expire_claim(redis, entry)
    assert await second.claim(9) == [entry]
    assert await first.renew([entry.stream_id]) == {entry.stream_id}
    assert await first.begin_attempt(entry, "provider") == "lost"
    assert await second.begin_attempt(entry, "provider") == "go"
    assert await second.claim(9) == []


async def test_queue_provider_with_open_attempt_is_not_asked_again(
    workers: tuple[DeliveryConsumer, DeliveryConsumer], redis: Redis
) -> None:
    first, second = workers
    [entry] = await first.claim(9)
    assert await first.begin_attempt(entry, "provider") == "go"
    await expire_claim(redis, entry)
    await second.claim(9)
    assert await second.begin_attempt(entry, "provider") == "unknown"
    assert await second.begin_attempt(entry, "another") == "go"


async def test_queue_refusal_is_recorded_once_redis_is_back(
    serving_with: Callable[..., Any],
    twilio: FakeProvider,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else the next attempt would find one of unknown outcome, and give the message up."""
    record, failures = DeliveryConsumer.record_outcome, [ServiceUnavailable()] * 2

    async def record_late(consumer: DeliveryConsumer, *outcome: Any) -> None:
        if failures:
            raise failures.pop()
        await record(consumer, *outcome)

    monkeypatch.setattr(DeliveryConsumer, "record_outcome", record_late)
    twilio.answers = [500]
    async with serving_with("twilio") as auth:
        await auth.request_code("+919876543210")
        await twilio.received(2)
        assert await redis.llen(DEAD_LETTERS) == 0
