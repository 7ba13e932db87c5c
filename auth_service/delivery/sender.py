"""Sending one delivery: which provider next, what its answer means, when to give up."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from auth_service.delivery.errors import (
    MessageRefusedError,
    OutcomeUnknownError,
    ProviderError,
)
from auth_service.delivery.metrics import DeliveryMetrics
from auth_service.delivery.model import Delivery, Entry, Message
from auth_service.delivery.provider import Provider
from auth_service.delivery.queue import Queue
from auth_service.delivery.templates import Templates
from auth_service.destination import Channel
from auth_service.keyring import Keyring, SealBrokenError
from shared.clock import Clock, milliseconds, rfc3339
from shared.entropy import Entropy
from shared.errors import ServiceUnavailable

FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 20.0
TRY_SECONDS: Mapping[Channel, float] = {"sms": 2.0, "email": 5.0}
EXPIRED = "not sent within its life"
log = structlog.get_logger()


class TakenOverError(Exception):
    """Another worker has the delivery in hand now."""


@dataclass(slots=True)
class Attempts:
    """What one worker has learned of a delivery: who may still be asked, and what was said."""

    open: list[Provider]
    reasons: dict[str, str] = field(default_factory=dict)
    wait: float = 0


@dataclass(frozen=True, slots=True)
class Sender:
    """Hands a delivery to the channel's providers, in their order, until one takes it.

    An attempt is marked before it is made. A provider whose answer never came is not asked again,
    whoever asks: it may have sent the message; the next provider is. One that said no for now is
    asked again after a growing pause, or after as long as it wished.
    """

    providers: Mapping[Channel, Sequence[Provider]]
    templates: Templates
    keyring: Keyring
    metrics: DeliveryMetrics
    clock: Clock
    entropy: Entropy

    async def send(self, queue: Queue, entry: Entry) -> None:
        """Send, or give up and say why; either way the entry leaves the queue.

        Raises:
            TakenOverError: another worker has it; nothing more is to be done here.
            ServiceUnavailable: the queue is away; the entry stays in it.
        """
        try:
            delivery = Delivery.opened(entry.sealed, self.keyring)
        except SealBrokenError:
            log.error("delivery.unreadable", delivery_id=entry.id)
            await queue.bury(entry, {"queue": "no key opens it"}, self.now())
            return
        with structlog.contextvars.bound_contextvars(
            request_id=delivery.request_id, delivery_id=delivery.id
        ):
            await self._send(queue, entry, delivery)

    async def _send(self, queue: Queue, entry: Entry, delivery: Delivery) -> None:
        message = self.templates.render(delivery)
        attempts = Attempts(list(self.providers[delivery.channel]))
        backoff = FIRST_BACKOFF_SECONDS
        while attempts.open:
            provider = await self._round(queue, entry, message, attempts)
            if provider:
                self.metrics.accepted(delivery, provider)
                await self._finish(queue, entry)
                log.info("delivery.sent", channel=delivery.channel, provider=provider)
                return
            if not attempts.open:
                break
            pause = max(attempts.wait, backoff * (0.5 + self.entropy.below(1000) / 1000))
            left = (entry.not_after - milliseconds(self.clock.now())) / 1000
            if pause >= left:
                attempts.reasons["life"] = EXPIRED
                break
            await asyncio.sleep(pause)
            backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
        await queue.bury(entry, attempts.reasons, self.now())
        self.metrics.given_up(delivery)
        log.error("delivery.given_up", channel=delivery.channel, reasons=attempts.reasons)

    async def _round(
        self, queue: Queue, entry: Entry, message: Message, attempts: Attempts
    ) -> str | None:
        """Ask each provider that may be asked; return the name of the one that took it."""
        attempts.wait = 0
        for provider in list(attempts.open):
            if milliseconds(self.clock.now()) >= entry.not_after:
                attempts.open.clear()
                attempts.reasons["life"] = EXPIRED
                return None
            if await self._ask(queue, entry, provider, message, attempts):
                return provider.name
        return None

    async def _ask(
        self,
        queue: Queue,
        entry: Entry,
        provider: Provider,
        message: Message,
        attempts: Attempts,
    ) -> bool:
        verdict = await queue.mark(entry, provider.name)
        if verdict == "lost":
            raise TakenOverError
        if verdict != "go":
            attempts.open.remove(provider)
            attempts.reasons.setdefault(provider.name, f"an earlier attempt: {verdict}")
            return False
        try:
            async with asyncio.timeout(TRY_SECONDS[message.channel]):
                await provider.send(message)
        except (OutcomeUnknownError, TimeoutError) as silent:
            attempts.open.remove(provider)
            attempts.reasons[provider.name] = str(silent) or "no answer in time"
        except MessageRefusedError as final:
            await queue.note(entry, provider.name, "refused")
            attempts.open.remove(provider)
            attempts.reasons[provider.name] = str(final)
        except ProviderError as failed:
            await queue.note(entry, provider.name, "failed")
            attempts.wait = max(attempts.wait, failed.retry_after)
            attempts.reasons[provider.name] = str(failed)
        else:
            return True
        self.metrics.failed(provider.name)
        reason = attempts.reasons[provider.name]
        log.warning("delivery.failed", provider=provider.name, reason=reason)
        return False

    async def _finish(self, queue: Queue, entry: Entry) -> None:
        """Take a sent delivery off the queue, as soon as Redis can be told."""
        while True:
            try:
                await queue.finish(entry)
            except ServiceUnavailable:
                if milliseconds(self.clock.now()) >= entry.not_after:
                    raise
                await asyncio.sleep(FIRST_BACKOFF_SECONDS)
            else:
                return

    def now(self) -> str:
        """Return the time as dead letters name it."""
        return rfc3339(self.clock.now())
