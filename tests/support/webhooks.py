"""Creates webhooks of media_service, queues deliveries, and waits for them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.clock import SystemClock
from shared.db import Database
from shared.entropy import SystemEntropy, new_id
from shared.webhooks.delivery import repository
from shared.webhooks.model import WebhookMessage, encode_body
from tests.support.media_client import MediaClient
from tests.support.waiting import until


async def create(media: MediaClient, url: str, *events: str) -> Any:
    body = {"url": url, "events": events or ["*"]}
    answer = await media.call("POST", "/webhooks", json=body)
    assert answer.status == 201, answer.body
    return answer.body


async def queue(
    database: Database, media: MediaClient, hook: Any, now: datetime | None = None
) -> UUID:
    """Queue an event for a webhook; return the delivery's id."""
    at, delivery_id = now or datetime.now(UTC), new_id(SystemClock(), SystemEntropy())
    message = WebhookMessage(
        str(new_id(SystemClock(), SystemEntropy())), encode_body("creative.due", at, {"id": "1"})
    )
    target = (UUID(hook["id"]), media.user_id)
    assert await repository.insert(database, target, delivery_id, ("creative.due", message), at)
    return delivery_id


async def deliveries(media: MediaClient, hook: Any, **query: str) -> list[Any]:
    answer = await media.call("GET", f"/webhooks/{hook['id']}/deliveries", params=query)
    assert answer.status == 200, answer.body
    return list(answer.body["items"])


async def wait_for(media: MediaClient, hook: Any, *statuses: str) -> list[Any]:
    """The deliveries, newest first, once they have these statuses."""

    async def reached() -> bool:
        return [one["status"] for one in await deliveries(media, hook)] == list(statuses)

    await until(reached, 20)
    return await deliveries(media, hook)
