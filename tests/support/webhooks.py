"""Creates webhooks, queues deliveries, waits for them, and verifies them."""

from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from standardwebhooks import Webhook, WebhookVerificationError

from shared.clock import SystemClock
from shared.db import Database
from shared.entropy import SystemEntropy, new_id
from shared.webhooks.delivery import repository
from shared.webhooks.model import WebhookMessage, encode_body
from tests.support.auth_client import Answer
from tests.support.media_client import MediaClient
from tests.support.waiting import until
from tests.support.webhook_receiver import ReceivedRequest


class Owner(Protocol):
    """A client that owns webhooks."""

    async def call(self, method: str, path: str, **options: Any) -> Answer: ...


async def create(owner: Owner, url: str, *events: str) -> Any:
    body = {"url": url, "events": events or ["*"]}
    answer = await owner.call("POST", "/webhooks", json=body)
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


async def deliveries(owner: Owner, hook: Any, **query: str) -> list[Any]:
    answer = await owner.call("GET", f"/webhooks/{hook['id']}/deliveries", params=query)
    assert answer.status == 200, answer.body
    return list(answer.body["items"])


async def wait_for(owner: Owner, hook: Any, *statuses: str) -> list[Any]:
    """The deliveries, newest first, once they have these statuses."""

    async def reached() -> bool:
        return [one["status"] for one in await deliveries(owner, hook)] == list(statuses)

    await until(reached, 20)
    return await deliveries(owner, hook)


def is_signed_by(request: ReceivedRequest, secret: str) -> bool:
    try:
        Webhook(secret).verify(request.body, dict(request.headers))
    except WebhookVerificationError:
        return False
    return True
