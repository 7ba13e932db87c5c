"""Notices to users about their account: by mail if an address is verified, else by SMS."""

import json
from dataclasses import dataclass
from uuid import UUID

import structlog

from auth_service.client import Client
from auth_service.delivery.metrics import DeliveryMetrics
from auth_service.delivery.model import LANGUAGES, Delivery
from auth_service.delivery.queue import DeliveryProducer
from auth_service.destination import Destination
from auth_service.keyring import Keyring
from auth_service.rate_limit.model import DAY_MS, key_digest, notice_scopes
from auth_service.rate_limit.service import LIMITS
from auth_service.settings import AuthSettings
from auth_service.user.model import User
from shared.clock import Clock, milliseconds
from shared.entropy import Entropy, new_id
from shared.errors import ServiceUnavailable
from shared.logs import mask
from shared.redis import BatchedRedis, Script, read_lua

SIGN_IN = "new_sign_in"
COUNT = Script.from_sources(LIMITS, read_lua("auth_service.notification", "count_notice.lua"))
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifications:
    """Queues notices of changes that have happened; one that cannot be queued is logged.

    A notice counts like a code: for its destination, its range of numbers and the total. Only its
    own limit for each user and kind refuses it; the next sign-in notice counts those left out.
    """

    redis: BatchedRedis
    producer: DeliveryProducer
    keyring: Keyring
    settings: AuthSettings
    metrics: DeliveryMetrics
    clock: Clock
    entropy: Entropy

    async def send(
        self,
        user: User,
        template: str,
        client: Client,
        *,
        to: Destination | None = None,
        **parameters: str,
    ) -> None:
        """Queue a notice about `client`, to `to` or else to the user's mail address or number."""
        to = to or user.destination("email", "sms")
        if to is None or to.address in self.settings.code_by_test_address:
            return
        try:
            left_out = await self._count(user.id, to, template)
            if left_out is None:
                self.metrics.count("notice_dropped", to.channel, to.address)
                log.warning("notice.dropped", template=template, to=mask(to.address))
                return
            parameters |= {"left_out": str(left_out)} if template == SIGN_IN else {}
            languages = [user.locale] if user.locale else client.languages
            parameters |= {LANGUAGES: ",".join(languages)}
            await self._enqueue(to, template, client, parameters)
        except ServiceUnavailable:
            log.error("notice.lost", template=template, to=mask(to.address))

    async def _count(self, user_id: UUID, to: Destination, template: str) -> int | None:
        """Count the notice; return how many were left out before it, None if this one is too."""
        scopes = notice_scopes(self.settings, to, user_id, template)
        left_out_key = f"notices_left_out:{key_digest(str(user_id), template)}"
        rates = json.dumps([scope.rates for scope in scopes])
        allowed, *left_out = await self.redis.run(
            COUNT,
            [left_out_key, *(scope.key for scope in scopes)],
            [milliseconds(self.clock.now()), rates, DAY_MS],
        )
        return left_out[0] if allowed else None

    async def _enqueue(
        self, to: Destination, template: str, client: Client, parameters: dict[str, str]
    ) -> None:
        now = self.clock.now()
        delivery = Delivery(
            id=str(new_id(self.clock, self.entropy)),
            channel=to.channel,
            to=to.address,
            template=template,
            parameters={**client.notice_parameters(now), **parameters},
            request_id=client.request_id,
        )
        sealed = delivery.seal(self.keyring)
        await self.producer.enqueue(delivery.id, sealed, milliseconds(now) + DAY_MS)
