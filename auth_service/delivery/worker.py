"""The worker: claims deliveries, sends them concurrently, and takes over those of dead workers."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator

import structlog

from auth_service.delivery.model import SealedDelivery
from auth_service.delivery.queue import DeliveryConsumer
from auth_service.delivery.sender import Sender, TakenOverError
from shared.background import run_periodically
from shared.errors import ServiceUnavailable

MAX_CONCURRENT = 128
POLL_SECONDS = 0.05
RENEW_SECONDS = 1.0
log = structlog.get_logger()


class Worker:
    """Sends queued deliveries, up to 128 at once.

    It renews the claim of each delivery every second. A claim that is not renewed for 3.5 s is
    stale: another worker takes the delivery over.
    """

    def __init__(self, consumer: DeliveryConsumer, sender: Sender) -> None:
        """Claim deliveries from `consumer`, and send them by `sender`."""
        self._consumer = consumer
        self._sender = sender
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._has_group = False

    async def poll(self) -> None:
        """Claim as many deliveries as there is room for, and start sending them."""
        if not self._has_group:
            await self._consumer.create_group()
            self._has_group = True
        room = MAX_CONCURRENT - len(self._sending)
        if room <= 0:
            return
        try:
            entries = await self._consumer.claim(room)
        except Exception:
            self._has_group = False  # an emptied Redis has no consumer group
            raise
        for entry in entries:
            if entry.stream_id not in self._sending:
                task = asyncio.create_task(self._handle(entry))
                self._sending[entry.stream_id] = task
                task.add_done_callback(functools.partial(self._release, entry.stream_id))

    async def renew(self) -> None:
        """Renew the claims; cancel the deliveries that another worker has taken over."""
        if not self._sending:
            return
        for stream_id in await self._consumer.renew(list(self._sending)):
            if task := self._sending.get(stream_id):
                task.cancel()
                log.warning("delivery.taken_over", stream_id=stream_id)

    async def stop(self) -> None:
        """Cancel all deliveries; another worker takes them over, or this one after a restart."""
        tasks = list(self._sending.values())
        while tasks and any(not task.done() for task in tasks):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=POLL_SECONDS)

    def _release(self, stream_id: str, _task: asyncio.Task[None]) -> None:
        self._sending.pop(stream_id, None)

    async def _handle(self, entry: SealedDelivery) -> None:
        try:
            await self._send(entry)
        except (TakenOverError, ServiceUnavailable):
            log.warning("delivery.left_in_queue", delivery_id=entry.delivery_id)

    async def _send(self, entry: SealedDelivery) -> None:
        try:
            await self._sender.send(self._consumer, entry)
        except (TakenOverError, ServiceUnavailable):
            raise
        except Exception as bug:
            # Left in the queue it would crash every worker in turn, for ever.
            log.exception("delivery.crashed", delivery_id=entry.delivery_id)
            await self._sender.give_up(self._consumer, entry, {"worker": type(bug).__name__})


@contextlib.asynccontextmanager
async def running_worker(consumer: DeliveryConsumer, sender: Sender) -> AsyncIterator[None]:
    """Run a worker beside the block."""
    worker = Worker(consumer, sender)
    try:
        async with (
            run_periodically("deliveries", worker.poll, pause=POLL_SECONDS),
            run_periodically("delivery_claims", worker.renew, pause=RENEW_SECONDS),
        ):
            yield
    finally:
        await worker.stop()
