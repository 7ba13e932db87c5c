"""Renewal of claims: a worker hears of what another one has taken over, and of nothing else."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, cast

import pytest
import structlog
from redis.asyncio import Redis
from structlog.typing import EventDict

from auth_service.delivery.model import GROUP, STREAM, SealedDelivery
from auth_service.delivery.queue import STALE_MS, DeliveryConsumer, DeliveryProducer
from auth_service.delivery.worker import Worker
from deploy.local.valkey import Valkey
from shared.redis import BatchedRedis, open_redis

if TYPE_CHECKING:
    from auth_service.delivery.sender import Sender


class SlowSender:
    """Sends when it is let; afterwards it goes on for as long as it is not let end."""

    def __init__(self) -> None:
        self.may_send, self.sent, self.may_end = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def send(self, consumer: DeliveryConsumer, entry: SealedDelivery) -> None:
        await self.may_send.wait()
        await consumer.acknowledge(entry)
        self.sent.set()
        await self.may_end.wait()


@pytest.fixture
async def batched(valkey: Valkey, redis: Redis) -> AsyncIterator[BatchedRedis]:
    await redis.ping()
    async with open_redis(valkey.url()) as opened:
        yield opened


@pytest.fixture
async def sender(batched: BatchedRedis) -> SlowSender:
    await DeliveryConsumer(batched, "first").create_group()
    await DeliveryProducer(batched).enqueue("delivery", b"sealed", 2**42)
    return SlowSender()


def takeovers(logs: list[EventDict]) -> list[EventDict]:
    return [entry for entry in logs if entry["event"] == "delivery.taken_over"]


async def test_claim_renewal_finished_delivery_logs_no_warning(
    batched: BatchedRedis, sender: SlowSender
) -> None:
    worker = Worker(DeliveryConsumer(batched, "first"), cast("Sender", sender))
    await worker.poll()
    sender.may_send.set()
    await sender.sent.wait()
    with structlog.testing.capture_logs() as logs:
        await worker.renew()
    assert takeovers(logs) == []
    await worker.stop()


async def test_claim_renewal_taken_over_delivery_logs_one_warning(
    batched: BatchedRedis, sender: SlowSender, redis: Redis
) -> None:
    worker = Worker(DeliveryConsumer(batched, "first"), cast("Sender", sender))
    await worker.poll()
    [pending] = await redis.xpending_range(STREAM, GROUP, "-", "+", 9)
    await redis.xclaim(STREAM, GROUP, "first", 0, [pending["message_id"]], idle=STALE_MS + 1)
    [entry] = await DeliveryConsumer(batched, "second").claim(9)
    with structlog.testing.capture_logs() as logs:
        await worker.renew()
        await asyncio.sleep(0)
        await worker.renew()
    [warning] = takeovers(logs)
    assert warning["stream_id"] == entry.stream_id
