"""Opening a delivery worker: beside the HTTP interface, or as a process of its own."""

import contextlib
from collections.abc import AsyncIterator

from auth_service.delivery.console import Inbox
from auth_service.delivery.metrics import DeliveryMetrics
from auth_service.delivery.provider import open_providers
from auth_service.delivery.queue import DeliveryConsumer
from auth_service.delivery.sender import Sender
from auth_service.delivery.templates import Templates
from auth_service.delivery.worker import running_worker
from auth_service.keyring import Keyring
from auth_service.settings import AuthSettings
from shared.clock import Clock
from shared.entropy import Entropy
from shared.redis import BatchedRedis


@contextlib.asynccontextmanager
async def open_worker(
    settings: AuthSettings,
    *,
    redis: BatchedRedis,
    keyring: Keyring,
    inbox: Inbox,
    metrics: DeliveryMetrics,
    clock: Clock,
    entropy: Entropy,
) -> AsyncIterator[None]:
    """Send deliveries inside the block."""
    async with open_providers(settings, inbox, clock) as providers:
        sender = Sender(
            providers=providers,
            templates=Templates({"product": settings.product_name}),
            keyring=keyring,
            metrics=metrics,
            clock=clock,
            entropy=entropy,
        )
        consumer = DeliveryConsumer(redis, entropy.bytes(8).hex())
        async with running_worker(consumer, sender):
            yield
