"""Sending one delivery: the order of providers, the meaning of answers, when to give up."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog

from auth_service.delivery.dead_letter_events import DeadLetterEvents
from auth_service.delivery.errors import MessageRefusedError, OutcomeUnknownError, ProviderError
from auth_service.delivery.metrics import DeliveryMetrics
from auth_service.delivery.model import Delivery, Message, SealedDelivery
from auth_service.delivery.provider import Provider
from auth_service.delivery.queue import DeliveryConsumer
from auth_service.delivery.recipient_locales import RecipientLocales
from auth_service.delivery.templates import Templates
from auth_service.destination import Channel
from auth_service.keyring import Keyring, SealBrokenError
from shared.clock import Clock, milliseconds, rfc3339
from shared.entropy import Entropy
from shared.errors import ServiceUnavailable

FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 20.0
ATTEMPT_SECONDS: Mapping[Channel, float] = {"sms": 2.0, "email": 5.0}
EXPIRED = "not sent within its life"
log = structlog.get_logger()


class TakenOverError(Exception):
    """Another worker has taken the delivery over."""


@dataclass(slots=True)
class ProviderAttempts:
    """One delivery: the providers that may still be asked, and the reasons of those that failed."""

    consumer: DeliveryConsumer
    entry: SealedDelivery
    message: Message
    remaining: list[Provider]
    reasons: dict[str, str] = field(default_factory=dict)
    retry_after: float = 0


@dataclass(frozen=True, slots=True)
class Sender:
    """Hands a delivery to the channel's providers, in their order, until one takes it.

    An attempt is recorded before it is made. A provider that never answered is not asked again by
    any worker, because it may have sent the message. A provider that failed for now is asked again
    after a growing pause, or after its `Retry-After`.
    """

    providers: Mapping[Channel, Sequence[Provider]]
    templates: Templates
    locales: RecipientLocales
    keyring: Keyring
    metrics: DeliveryMetrics
    dead_letter_events: DeadLetterEvents
    clock: Clock
    entropy: Entropy

    async def send(self, consumer: DeliveryConsumer, entry: SealedDelivery) -> None:
        """Send, or give up and say why; either way the entry leaves the queue.

        Raises:
            TakenOverError: another worker has it.
            ServiceUnavailable: Redis is away, or the database; the entry stays in the queue.
        """
        try:
            delivery = Delivery.unseal(entry.sealed, self.keyring)
        except SealBrokenError:
            log.error("delivery.unreadable", delivery_id=entry.delivery_id)
            await self.give_up(consumer, entry, {"queue": "no key opens it"})
            return
        with structlog.contextvars.bound_contextvars(
            request_id=delivery.request_id, delivery_id=delivery.id
        ):
            await self._send(consumer, entry, delivery)

    async def _send(
        self, consumer: DeliveryConsumer, entry: SealedDelivery, delivery: Delivery
    ) -> None:
        providers = list(self.providers[delivery.channel])
        locale = await self.locales.find(delivery.channel, delivery.to)
        message = self.templates.render(delivery, locale)
        attempts = ProviderAttempts(consumer, entry, message, providers)
        backoff = FIRST_BACKOFF_SECONDS
        while attempts.remaining:
            provider = await self._try_providers(attempts)
            if provider:
                self.metrics.count_accepted(delivery, provider)
                await self._until_redis_answers(entry, partial(consumer.acknowledge, entry))
                log.info("delivery.sent", channel=delivery.channel, provider=provider)
                return
            if not attempts.remaining:
                break
            pause = max(attempts.retry_after, backoff * (0.5 + self.entropy.below(1000) / 1000))
            left = (entry.not_after - milliseconds(self.clock.now())) / 1000
            if pause >= left:
                attempts.reasons["life"] = EXPIRED
                break
            await asyncio.sleep(pause)
            backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
        await self.give_up(consumer, entry, attempts.reasons)
        self.metrics.count("given_up", delivery.channel, delivery.to)
        log.error("delivery.given_up", channel=delivery.channel, reasons=attempts.reasons)

    async def _try_providers(self, attempts: ProviderAttempts) -> str | None:
        """Ask each remaining provider; return the name of the one that took the message."""
        attempts.retry_after = 0
        for provider in list(attempts.remaining):
            if milliseconds(self.clock.now()) >= attempts.entry.not_after:
                attempts.remaining.clear()
                attempts.reasons["life"] = EXPIRED
                return None
            if await self._try_provider(attempts, provider):
                return provider.name
        return None

    async def _try_provider(self, attempts: ProviderAttempts, provider: Provider) -> bool:
        consumer, entry, message = attempts.consumer, attempts.entry, attempts.message
        verdict = await consumer.begin_attempt(entry, provider.name)
        if verdict == "lost":
            raise TakenOverError
        if verdict != "go":
            attempts.remaining.remove(provider)
            attempts.reasons.setdefault(provider.name, f"an earlier attempt: {verdict}")
            return False
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS[message.channel]):
                await provider.send(message)
        except (OutcomeUnknownError, TimeoutError) as silent:
            attempts.remaining.remove(provider)
            attempts.reasons[provider.name] = str(silent) or "no answer in time"
        except MessageRefusedError as final:
            await self._until_redis_answers(
                entry, partial(consumer.record_outcome, entry, provider.name, "refused")
            )
            attempts.remaining.remove(provider)
            attempts.reasons[provider.name] = str(final)
        except ProviderError as failed:
            await self._until_redis_answers(
                entry, partial(consumer.record_outcome, entry, provider.name, "failed")
            )
            attempts.retry_after = max(attempts.retry_after, failed.retry_after)
            attempts.reasons[provider.name] = str(failed)
        else:
            return True
        self.metrics.count_failed(provider.name)
        reason = attempts.reasons[provider.name]
        log.warning("delivery.failed", provider=provider.name, reason=reason)
        return False

    async def _until_redis_answers(
        self, entry: SealedDelivery, record: Callable[[], Awaitable[object]]
    ) -> None:
        """Record what a provider answered as soon as Redis answers, while the message is of use.

        An answer that is not recorded counts as unknown, and the message is given up.
        """
        while True:
            try:
                await record()
            except ServiceUnavailable:
                if milliseconds(self.clock.now()) >= entry.not_after:
                    raise
                await asyncio.sleep(FIRST_BACKOFF_SECONDS)
            else:
                return

    async def give_up(
        self, consumer: DeliveryConsumer, entry: SealedDelivery, reasons: dict[str, str]
    ) -> None:
        """Make the entry a dead letter, once its event is stored.

        Raises:
            ServiceUnavailable: the database or Redis is away; the entry stays in the queue.
        """
        await self.dead_letter_events.record(entry)
        await consumer.dead_letter(entry, reasons, rfc3339(self.clock.now()))
