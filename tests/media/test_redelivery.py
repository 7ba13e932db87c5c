"""Events are delivered again when their user asks: one, or all since a time that failed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.db import Database
from shared.webhooks.delivery import repository
from shared.webhooks.delivery.model import MAX_LISTED, DeliveryResult, DueQuery
from shared.webhooks.model import Attempt
from shared.webhooks.outcome import Outcome
from tests.support.auth_client import Answer
from tests.support.media_client import MediaClient
from tests.support.waiting import until
from tests.support.webhook_receiver import Receiver, answering
from tests.support.webhooks import create, deliveries, queue, wait_for


@pytest.fixture
def media_values(media_values: dict[str, Any]) -> dict[str, Any]:
    return media_values | {"publish_worker": True}


async def redeliver(media: MediaClient, hook: Any, delivery: object) -> Answer:
    return await media.call("POST", f"/webhooks/{hook['id']}/deliveries/{delivery}/redeliver")


async def redeliver_since(media: MediaClient, hook: Any, since: object) -> Answer:
    path = f"/webhooks/{hook['id']}/redeliver"
    return await media.call("POST", path, json={"since": since})


def codes(delivery: Any) -> list[int]:
    return [attempt["status_code"] for attempt in delivery["attempts"]]


async def test_dead_delivery_redelivered_has_all_attempts_again_under_the_same_id(
    serving_media: Callable[..., Any], database: Database, receiver: Receiver
) -> None:
    receiver.respond = answering(503)
    async with serving_media(webhook_attempts="0s,0s") as media:
        hook = await create(media, receiver.url)
        await queue(database, media, hook)
        (dead,) = await wait_for(media, hook, "dead")
        answer = await redeliver(media, hook, dead["id"])
        assert (answer.status, answer.body) == (202, b"")
        (again,) = await wait_for(media, hook, "dead")
        receiver.respond = answering(200)
        await redeliver(media, hook, dead["id"])
        (delivered,) = await wait_for(media, hook, "delivered")
    assert codes(dead) == [503, 503]
    assert codes(again) == [503, 503, 503, 503]
    assert codes(delivered) == [503, 503, 503, 503, 200]
    assert {one.headers["webhook-id"] for one in receiver.requests} == {dead["event_id"]}
    assert {one.body for one in receiver.requests} == {receiver.requests[0].body}


async def test_delivered_delivery_can_be_redelivered(
    media: MediaClient, database: Database, receiver: Receiver
) -> None:
    hook = await create(media, receiver.url)
    delivery_id = await queue(database, media, hook)
    await wait_for(media, hook, "delivered")
    assert (await redeliver(media, hook, delivery_id)).status == 202
    await wait_for_attempts(media, hook, 2)
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


async def wait_for_attempts(media: MediaClient, hook: Any, count: int) -> None:
    async def reached() -> bool:
        return [len(one["attempts"]) for one in await deliveries(media, hook)] == [count]

    await until(reached, 20)


async def test_all_that_failed_since_a_time_is_redelivered_and_nothing_else(
    serving_media: Callable[..., Any], database: Database, receiver: Receiver
) -> None:
    now = datetime.now(UTC)
    async with serving_media(webhook_attempts="0s,1h") as media:
        hook = await create(media, receiver.url)
        delivered = await queue(database, media, hook)
        await wait_for(media, hook, "delivered")
        receiver.respond = answering(500)
        await media.call("POST", f"/webhooks/{hook['id']}/test")
        await queue(database, media, hook, now - timedelta(days=2))
        await queue(database, media, hook, now - timedelta(hours=1))
        await wait_for(media, hook, "failed", "failed", "dead", "delivered")
        old = (await deliveries(media, hook))[1]
        receiver.respond = answering(200)
        since = (now - timedelta(days=1)).isoformat()
        assert (await redeliver_since(media, hook, since)).status == 202
        found = await wait_for(media, hook, "delivered", "failed", "dead", "delivered")
    assert [codes(one) for one in found] == [[500, 200], [500], [500], [200]]
    assert found[1] == old
    assert found[3]["id"] == str(delivered)


async def test_many_that_failed_are_redelivered_in_batches(
    media: MediaClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "BATCH", 2)
    future = datetime.now(UTC) + timedelta(days=1)
    hook = await create(media, "http://127.0.0.1:1/")
    for _ in range(5):
        await queue(database, media, hook, future)
    await database.execute("UPDATE webhook_deliveries SET status = 'dead', next_attempt_at = NULL")
    assert (await redeliver_since(media, hook, "2026-01-01")).status == 202
    await until(lambda: is_over(media, hook))


async def is_over(media: MediaClient, hook: Any) -> bool:
    """Whether each delivery has had an attempt again."""
    return all(one["attempts"] for one in await deliveries(media, hook))


async def test_redelivery_to_a_disabled_webhook_is_409(
    media: MediaClient, database: Database, receiver: Receiver
) -> None:
    receiver.respond = answering(410)
    hook = await create(media, receiver.url)
    delivery_id = await queue(database, media, hook)
    await wait_for(media, hook, "dead")
    for answer in (
        await redeliver(media, hook, delivery_id),
        await redeliver_since(media, hook, "2026-01-01"),
    ):
        assert (answer.status, answer.code) == (409, "conflict")
    receiver.respond = answering(200)
    await media.call("PATCH", f"/webhooks/{hook['id']}", json={"status": "enabled"})
    assert (await redeliver_since(media, hook, "2026-01-01")).status == 202
    await wait_for(media, hook, "delivered")


async def test_redelivery_of_a_pending_delivery_leaves_its_attempt_alone(
    media: MediaClient, database: Database
) -> None:
    """The clock of the claims is ahead, so that the service's own worker leaves them alone."""
    future = datetime.now(UTC) + timedelta(days=1)
    hook = await create(media, "http://127.0.0.1:1/")
    delivery_id = await queue(database, media, hook, future)
    lease = timedelta(seconds=50)
    assert await repository.claim(database, future, lease, DueQuery(10)) != []
    assert (await redeliver(media, hook, delivery_id)).status == 202
    (pending,) = await deliveries(media, hook)
    assert datetime.fromisoformat(pending["next_attempt_at"]) == future
    assert await repository.claim(database, future, lease, DueQuery(10)) == []


async def test_redelivery_malformed_or_of_another_is_refused(
    media: MediaClient, database: Database, receiver: Receiver
) -> None:
    hook, other = await create(media, receiver.url), await create(media, receiver.url)
    delivery_id = await queue(database, media, hook, datetime.now(UTC) + timedelta(days=1))
    stranger = media.as_other_user()
    for answer in (
        await redeliver(media, other, delivery_id),
        await redeliver(media, hook, uuid4()),
        await redeliver(media, hook, "x"),
        await redeliver(stranger, hook, delivery_id),
        await redeliver_since(stranger, hook, "2026-01-01"),
        await redeliver_since(media, {"id": uuid4()}, "2026-01-01"),
    ):
        assert (answer.status, answer.code) == (404, "not_found")
    for since in (None, "", "yesterday", 0, "2026-01-01T00:00:00", "0001-01-01T00:00+14:00"):
        answer = await redeliver_since(media, hook, since)
        assert (answer.status, answer.code) == (422, "validation_failed"), since
    assert [one["status"] for one in await deliveries(media, hook)] == ["pending"]
    for since in ("0001-01-01", "9999-12-31T23:59:59Z"):
        assert (await redeliver_since(media, hook, since)).status == 202
    assert receiver.connections == 0


async def test_delivery_redelivered_very_often_lists_its_latest_attempts(
    media: MediaClient, database: Database
) -> None:
    future = datetime.now(UTC) + timedelta(days=1)
    hook = await create(media, "http://127.0.0.1:1/")
    delivery_id = await queue(database, media, hook, future)
    target = (UUID(hook["id"]), media.user_id)
    for number in range(MAX_LISTED + 3):
        (claimed,) = await repository.claim(database, future, timedelta(seconds=50), DueQuery(10))
        assert claimed.attempt_number == 1
        failed = DeliveryResult(claimed, Attempt(future, number, 500), Outcome("dead"), None)
        await repository.finish(database, failed, future)
        assert await repository.redeliver(database, target, delivery_id, future)
    (listed,) = await deliveries(media, hook)
    durations = [attempt["duration_ms"] for attempt in listed["attempts"]]
    assert durations == list(range(3, MAX_LISTED + 3))


async def test_redelivery_since_a_time_reads_no_id_from_before_it(
    media: MediaClient, database: Database
) -> None:
    """Else a webhook with a million old failures would hold a connection for seconds."""
    now = datetime.now(UTC)
    hook = await create(media, "http://127.0.0.1:1/")
    target = (UUID(hook["id"]), media.user_id)
    await queue(database, media, hook, now)
    await database.execute("UPDATE webhook_deliveries SET status = 'dead', next_attempt_at = NULL")
    later = now + timedelta(minutes=1)
    await database.execute("UPDATE webhook_deliveries SET created_at = $1", later)
    assert await repository.redeliver_failed(database, target, later, now) == 0
    assert await repository.redeliver_failed(database, target, now, now) == 1
