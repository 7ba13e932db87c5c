"""Use cases of deliveries: a test, the list, another delivery."""

from datetime import datetime
from uuid import UUID

import structlog

from media_service.delivery import repository
from media_service.delivery.model import TEST_EVENT, Delivery, DeliveryFilter
from media_service.webhook import repository as webhooks
from shared.clock import Clock
from shared.db import Database
from shared.entropy import Entropy, new_id
from shared.errors import Conflict, NotFound
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


async def redeliver(
    database: Database, target: tuple[UUID, UUID], delivery_id: UUID, now: datetime
) -> None:
    """Have an event delivered again under its id; all attempts are before it as for a new one.

    `target`: the ids of endpoint and user.

    Raises:
        NotFound: there is no such delivery, or another user owns it.
        Conflict: the endpoint is disabled.
    """
    if not await repository.redeliver(database, target, delivery_id, now):
        await _require_enabled(database, target)
        raise NotFound
    log.info("webhook.redelivery_queued", delivery_id=str(delivery_id))


async def redeliver_failed(
    database: Database, target: tuple[UUID, UUID], since: datetime, now: datetime
) -> None:
    """Have the events since a time that were not delivered delivered again, likewise.

    Raises:
        NotFound: there is no such endpoint, or another user owns it.
        Conflict: it is disabled.
    """
    count = await repository.redeliver_failed(database, target, since, now)
    if not count:
        await _require_enabled(database, target)
    log.info("webhook.redeliveries_queued", webhook_id=str(target[0]), count=count)


async def _require_enabled(database: Database, target: tuple[UUID, UUID]) -> None:
    """Accept an enabled endpoint of the user.

    Raises:
        NotFound: there is no such endpoint, or another user owns it.
        Conflict: it is disabled.
    """
    endpoint = await webhooks.find(database, *target)
    if endpoint is None:
        raise NotFound
    if endpoint.status == "disabled":
        raise Conflict("the webhook is disabled: enable it first")
