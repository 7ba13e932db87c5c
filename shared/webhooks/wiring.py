"""The parts of a service that sends webhooks."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property

from shared.clock import Clock
from shared.clock_check import ClockCheck
from shared.db import Database
from shared.entropy import Entropy
from shared.parts import Part
from shared.webhooks.delivery.fan_out import EventEncoder, EventFanOut, run_fan_out
from shared.webhooks.delivery.model import DeliverySchedule
from shared.webhooks.delivery.results import ResultRecorder, StoreResult
from shared.webhooks.delivery.service import DeliveryService
from shared.webhooks.delivery.worker import DeliveryWorker, run_worker
from shared.webhooks.destination import DestinationPolicy
from shared.webhooks.endpoint.sealing import SecretSealer
from shared.webhooks.endpoint.service import WebhookService
from shared.webhooks.sender import open_sender
from shared.webhooks.settings import WebhookSendingSettings


class WebhookWiring(ABC):
    """The base of a composition root, which replaces `events_written` if it knows of new events."""

    settings: WebhookSendingSettings
    clock: Clock
    entropy: Entropy
    database: Database

    clock_check = Part(ClockCheck)
    fan_out = Part(EventFanOut)
    webhook_deliveries = Part(DeliveryService)
    webhooks = Part(WebhookService)

    @property
    @abstractmethod
    def event_messages(self) -> EventEncoder: ...

    @property
    @abstractmethod
    def secret_sealer(self) -> SecretSealer: ...

    @property
    @abstractmethod
    def store_result(self) -> StoreResult: ...

    @cached_property
    def events_written(self) -> asyncio.Event:
        return asyncio.Event()

    @cached_property
    def delivery_schedule(self) -> DeliverySchedule:
        settings = self.settings
        return DeliverySchedule(settings.webhook_attempts, settings.webhook_concurrency)

    @cached_property
    def webhook_policy(self) -> DestinationPolicy:
        return self.settings.webhook_policy

    @asynccontextmanager
    async def open_webhook_worker(self) -> AsyncIterator[DeliveryWorker]:
        """Open the worker of webhooks inside the block."""
        settings, disable_after = self.settings, self.settings.webhook_disable_after
        async with open_sender(
            self.webhook_policy,
            settings.webhook_timeout,
            self.clock,
            settings.webhook_concurrency,
        ) as sender:
            yield DeliveryWorker(
                database=self.database,
                sender=sender,
                sealer=self.secret_sealer,
                results=ResultRecorder(self.store_result, disable_after, self.clock),
                schedule=self.delivery_schedule,
                clock=self.clock,
                clock_check=self.clock_check,
                entropy=self.entropy,
            )

    @asynccontextmanager
    async def run_webhooks(self, worker: DeliveryWorker) -> AsyncIterator[None]:
        """Queue the deliveries of events, and make the attempts, until the block ends."""
        async with run_worker(worker), run_fan_out(self.fan_out, self.events_written, worker.wake):
            yield
