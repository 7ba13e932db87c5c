"""Use cases of deliveries: a test, the list, another delivery."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from shared.clock import Clock
from shared.db import Database
from shared.entropy import Entropy, new_id
from shared.errors import Conflict, NotFound
from shared.webhooks.delivery import repository
from shared.webhooks.delivery.model import MAX_WAITING_TESTS, TEST_EVENT, Delivery, DeliveryFilter
from shared.webhooks.delivery.overview import repository as overview
from shared.webhooks.endpoint import repository as webhooks
from shared.webhooks.model import WebhookMessage, encode_body

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DeliveryService:
    """What owners do with the deliveries to their endpoints."""

    database: Database
    clock: Clock
    entropy: Entropy

    async def send_test(self, target: tuple[UUID, UUID]) -> UUID:
        """Queue a test for an endpoint, also a disabled one; return the delivery's id.

        `target`: the ids of endpoint and owner.

        Raises:
            NotFound: there is no such endpoint, or it has another owner.
            Conflict: as many tests wait as may.
        """
        now, delivery_id = self.clock.now(), new_id(self.clock, self.entropy)
        body = encode_body(TEST_EVENT, now, {"webhook_id": str(target[0])})
        message = WebhookMessage(str(new_id(self.clock, self.entropy)), body)
        test = (TEST_EVENT, message)
        async with self.database.transaction() as connection:
            if not await webhooks.lock(connection, *target):
                raise NotFound
            if not await repository.insert(connection, target, delivery_id, test, now):
                raise Conflict(f"{MAX_WAITING_TESTS} tests wait: try again later")
        log.info("webhook.test_queued", delivery_id=str(delivery_id))
        return delivery_id

    async def list_deliveries(
        self, target: tuple[UUID, UUID], query: DeliveryFilter
    ) -> list[Delivery]:
        """Return a page of the deliveries to an owner's endpoint, the newest first.

        Raises:
            NotFound: there is no such endpoint, or it has another owner.
        """
        if await webhooks.find(self.database, *target) is None:
            raise NotFound
        return await overview.page(self.database, target[0], query)

    async def redeliver(self, target: tuple[UUID, UUID], delivery_id: UUID) -> None:
        """Queue a delivery again, under the id of its event and with as many attempts as a new one.

        `target`: the ids of endpoint and owner.

        Raises:
            NotFound: there is no such delivery, or it has another owner.
            Conflict: the endpoint is disabled.
        """
        now = self.clock.now()
        if not await repository.redeliver(self.database, target, delivery_id, now):
            await self._require_enabled(target)
            raise NotFound
        log.info("webhook.redelivery_queued", delivery_id=str(delivery_id))

    async def redeliver_failed(self, target: tuple[UUID, UUID], since: datetime) -> None:
        """Queue the failed and dead deliveries since a time again, likewise.

        Raises:
            NotFound: there is no such endpoint, or it has another owner.
            Conflict: it is disabled.
        """
        now = self.clock.now()
        count = await repository.redeliver_failed(self.database, target, since, now)
        if not count:
            await self._require_enabled(target)
        log.info("webhook.redeliveries_queued", webhook_id=str(target[0]), count=count)

    async def _require_enabled(self, target: tuple[UUID, UUID]) -> None:
        """Accept an enabled endpoint of the owner.

        Raises:
            NotFound: there is no such endpoint, or it has another owner.
            Conflict: it is disabled.
        """
        endpoint = await webhooks.find(self.database, *target)
        if endpoint is None:
            raise NotFound
        if endpoint.status == "disabled":
            raise Conflict("the webhook is disabled: enable it first")
