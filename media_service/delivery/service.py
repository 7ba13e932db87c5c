"""Use cases of deliveries: a test, and the list."""

from uuid import UUID

import structlog

from media_service.delivery import repository
from media_service.delivery.model import TEST_EVENT, Delivery, DeliveryFilter
from media_service.webhook import repository as webhooks
from shared.clock import Clock
from shared.db import Database
from shared.entropy import Entropy, new_id
from shared.errors import NotFound
from shared.webhooks.model import WebhookMessage, encode_body

log = structlog.get_logger()


async def send_test(
    database: Database, target: tuple[UUID, UUID], clock: Clock, entropy: Entropy
) -> UUID:
    """Queue a test for an endpoint, also a disabled one; return the delivery's id.

    `target`: the ids of endpoint and user.

    Raises:
        NotFound: there is no such endpoint, or another user owns it.
    """
    now, delivery_id = clock.now(), new_id(clock, entropy)
    body = encode_body(TEST_EVENT, now, {"webhook_id": str(target[0])})
    message = WebhookMessage(str(new_id(clock, entropy)), body)
    if not await repository.insert(database, target, delivery_id, (TEST_EVENT, message), now):
        raise NotFound
    log.info("webhook.test_queued", delivery_id=str(delivery_id))
    return delivery_id


async def list_deliveries(
    database: Database, target: tuple[UUID, UUID], query: DeliveryFilter
) -> list[Delivery]:
    """Return a page of the deliveries to a user's endpoint, the newest first.

    Raises:
        NotFound: there is no such endpoint, or another user owns it.
    """
    if await webhooks.find(database, *target) is None:
        raise NotFound
    return await repository.page(database, target[0], query)
