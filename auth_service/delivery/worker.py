"""The worker: takes deliveries from the stream and hands them to providers until one takes them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from auth_service.delivery.errors import MessageRefusedError, ProviderError
from auth_service.delivery.model import GROUP, STREAM, Delivery, Message
from auth_service.delivery.provider import Provider
from auth_service.delivery.templates import Templates
from auth_service.keyring import Keyring, SealBrokenError
from shared.background import repeating
from shared.clock import Clock, milliseconds
from shared.entropy import Entropy
from shared.redis import new_client

BLOCK_MS = 1000
AT_ONCE = 32
FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 20
RECONNECT_SECONDS = 0.5
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Worker:
    """Sends what is in the queue, up to 32 messages at once, nothing after its not-after."""

    redis: Redis
    providers: Sequence[Provider]
    templates: Templates
    keyring: Keyring
    clock: Clock
    entropy: Entropy

    async def work(self) -> None:
        """Send until the connection is lost."""
        await self._create_group()
        await self._send_all(self.entropy.bytes(8).hex())

    async def _create_group(self) -> None:
        try:
            await self.redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except ResponseError as refused:
            if not str(refused).startswith("BUSYGROUP"):
                raise

    async def _send_all(self, consumer: str) -> None:
        slots = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            while True:
                async with slots:  # wait for one to be free before taking more from the queue
                    entries = await self._take(consumer)
                for entry_id, fields in entries:
                    await slots.acquire()
                    task = tasks.create_task(self._handle(entry_id, fields))
                    task.add_done_callback(lambda _: slots.release())

    async def _take(self, consumer: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
        streams: Any = await self.redis.xreadgroup(
            GROUP, consumer, {STREAM: ">"}, count=AT_ONCE, block=BLOCK_MS
        )
        return streams[0][1] if streams else []

    async def _handle(self, entry_id: bytes, fields: dict[bytes, bytes]) -> None:
        """Send one entry, then take it off the queue, sent or given up; one failing harms none."""
        try:
            delivery = Delivery.opened(fields[b"sealed"], self.keyring)
            with structlog.contextvars.bound_contextvars(
                request_id=delivery.request_id, delivery_id=delivery.id
            ):
                await self._deliver(delivery, int(fields[b"not_after"]))
        except SealBrokenError:
            log.error("delivery.unreadable", entry=entry_id.decode())
        except Exception:
            log.exception("delivery.crashed", entry=entry_id.decode())
        try:
            await self.redis.xack(STREAM, GROUP, entry_id)
            await self.redis.xdel(STREAM, entry_id)
        except (RedisError, OSError, TimeoutError):
            log.warning("delivery.not_taken_off", entry=entry_id.decode())

    async def _deliver(self, delivery: Delivery, not_after: int) -> None:
        message = self.templates.render(delivery)
        backoff = FIRST_BACKOFF_SECONDS
        while milliseconds(self.clock.now()) < not_after:
            try:
                provider = await self._try_each(message)
            except MessageRefusedError as refused:
                log.error("delivery.refused", reason=str(refused))
                return
            if provider:
                log.info("delivery.sent", channel=delivery.channel, provider=provider)
                return
            jitter = self.entropy.below(1000) / 1000
            await asyncio.sleep(backoff * (0.5 + jitter))
            backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
        log.error("delivery.expired", channel=delivery.channel)

    async def _try_each(self, message: Message) -> str | None:
        """Return the name of the provider that took the message, None when all failed for now."""
        refused: MessageRefusedError | None = None
        for provider in self.providers:
            try:
                await provider.send(message)
            except MessageRefusedError as final:
                refused = final
            except ProviderError as failed:
                refused = None
                log.warning("delivery.failed", provider=provider.name, reason=str(failed))
            else:
                return provider.name
        if refused:
            raise refused
        return None


@contextlib.asynccontextmanager
async def working(
    redis_url: str,
    providers: Sequence[Provider],
    templates: Templates,
    keyring: Keyring,
    *,
    clock: Clock,
    entropy: Entropy,
) -> AsyncIterator[None]:
    """Run a worker beside the block, on a connection of its own, since it waits on it."""
    redis = new_client(redis_url, timeout=BLOCK_MS / 1000 + 2)
    worker = Worker(redis, providers, templates, keyring, clock, entropy)
    try:
        async with repeating("deliveries", worker.work, pause=RECONNECT_SECONDS):
            yield
    finally:
        await redis.aclose()
