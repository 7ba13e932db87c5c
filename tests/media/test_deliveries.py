"""Deliveries of webhooks: attempted when due, by one process each, and listed with all attempts."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from standardwebhooks import Webhook

from shared.db import Database
from shared.webhooks.delivery import repository
from shared.webhooks.delivery.model import RETENTION, DeliveryResult, DueQuery
from shared.webhooks.endpoint import repository as endpoints
from shared.webhooks.event import repository as events
from shared.webhooks.event.model import Event
from shared.webhooks.model import Attempt
from shared.webhooks.outcome import Outcome
from tests.conftest import MEDIA_SECRET
from tests.support.clock import MovableClock
from tests.support.media_client import MediaClient
from tests.support.waiting import until
from tests.support.webhook_receiver import Receiver, answering
from tests.support.webhooks import create, deliveries, is_signed_by, queue, wait_for


@pytest.fixture
def media_values(media_values: dict[str, Any]) -> dict[str, Any]:
    return media_values | {"publish_worker": True}


async def test_test_is_delivered_and_listed(media: MediaClient, receiver: Receiver) -> None:
    hook = await create(media, receiver.url)
    answer = await media.call("POST", f"/webhooks/{hook['id']}/test")
    assert answer.status == 202
    (delivery,) = await wait_for(media, hook, "delivered")
    (request,) = receiver.requests
    payload = Webhook(hook["secret"]).verify(request.body, dict(request.headers))
    assert (payload["type"], payload["data"]) == ("webhook.test", {"webhook_id": hook["id"]})
    (attempt,) = delivery.pop("attempts")
    assert delivery == {
        "id": answer.body["delivery_id"],
        "event_id": request.headers["webhook-id"],
        "type": "webhook.test",
        "status": "delivered",
        "next_attempt_at": None,
    }
    assert (attempt["status_code"], attempt["error"], attempt["response_excerpt"]) == (
        200,
        None,
        "",
    )


async def test_test_that_fails_is_not_repeated_and_reaches_a_disabled_webhook(
    media: MediaClient, receiver: Receiver
) -> None:
    receiver.respond = answering(500, b"broken")
    hook = await create(media, receiver.url)
    await media.call("PATCH", f"/webhooks/{hook['id']}", json={"status": "disabled"})
    await media.call("POST", f"/webhooks/{hook['id']}/test")
    (delivery,) = await wait_for(media, hook, "dead")
    (attempt,) = delivery["attempts"]
    assert (attempt["status_code"], attempt["response_excerpt"]) == (500, "broken")


async def test_delivery_after_a_rotation_is_signed_twice_for_24_hours(
    media: MediaClient, receiver: Receiver, clock: MovableClock
) -> None:
    hook = await create(media, receiver.url)
    path = f"/webhooks/{hook['id']}"
    newer = (await media.call("POST", f"{path}/rotate-secret")).body["secret"]
    await media.call("POST", f"{path}/test")
    await wait_for(media, hook, "delivered")
    assert is_signed_by(receiver.requests[0], hook["secret"])
    assert is_signed_by(receiver.requests[0], newer)
    later = await media.wait_out(clock, hours=25)
    await later.call("POST", f"{path}/test")
    await wait_for(later, hook, "delivered", "delivered")
    assert len(receiver.requests[1].headers["webhook-signature"].split()) == 1


async def test_delivery_that_fails_is_repeated_with_the_same_id_until_it_is_dead(
    serving_media: Callable[..., Any], database: Database, receiver: Receiver
) -> None:
    receiver.respond = answering(503, b"down")
    async with serving_media(webhook_attempts="0s,0s,0s") as media:
        hook = await create(media, receiver.url)
        await queue(database, media, hook)
        (delivery,) = await wait_for(media, hook, "dead")
    assert [one["status_code"] for one in delivery["attempts"]] == [503, 503, 503]
    assert delivery["next_attempt_at"] is None
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    assert len(receiver.requests) == 3


async def test_delivery_that_fails_waits_for_its_next_attempt(
    media: MediaClient, database: Database, receiver: Receiver, clock: MovableClock
) -> None:
    receiver.respond = answering(500)
    hook = await create(media, receiver.url)
    await queue(database, media, hook)
    (delivery,) = await wait_for(media, hook, "failed")
    next_attempt = datetime.fromisoformat(delivery["next_attempt_at"])
    ended = datetime.fromisoformat(delivery["attempts"][0]["at"])
    assert timedelta(seconds=5) <= next_attempt - ended < timedelta(seconds=8)
    receiver.respond = answering(200)
    later = await media.wait_out(clock, seconds=10)
    (delivery,) = await wait_for(later, hook, "delivered")
    assert [one["status_code"] for one in delivery["attempts"]] == [500, 200]


async def test_delivery_answered_410_disables_the_webhook_and_ends_what_is_queued(
    media: MediaClient, database: Database, receiver: Receiver
) -> None:
    receiver.respond = answering(410)
    hook = await create(media, receiver.url)
    await queue(database, media, hook)
    await wait_for(media, hook, "dead")
    assert (await media.call("GET", f"/webhooks/{hook['id']}")).body["status"] == "disabled"
    await queue(database, media, hook)
    newest, _ = await wait_for(media, hook, "dead", "dead")
    assert newest["attempts"] == []
    assert len(receiver.requests) == 1


async def test_delivery_to_a_name_of_a_refused_address_fails_as_refused(
    serving_media: Callable[..., Any], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("10.0.0.1", 80))])
    async with serving_media(webhook_attempts="0s") as media:
        hook = await create(media, "http://receiver.example/")
        await queue(database, media, hook)
        (delivery,) = await wait_for(media, hook, "dead")
    assert delivery["attempts"][0]["error"] == "address_refused"


async def test_delivery_after_the_loss_of_a_key_works_once_the_secret_is_rotated(
    serving_media: Callable[..., Any], receiver: Receiver
) -> None:
    async with serving_media() as media:
        hook = await create(media, receiver.url)
    async with serving_media(media_secret_keys=MEDIA_SECRET[::-1]) as again:
        media = replace(again, user_id=media.user_id, token=media.token)
        path = f"/webhooks/{hook['id']}"
        newer = (await media.call("POST", f"{path}/rotate-secret")).body["secret"]
        await media.call("POST", f"{path}/test")
        await wait_for(media, hook, "delivered")
    assert is_signed_by(receiver.requests[0], newer)
    assert len(receiver.requests[0].headers["webhook-signature"].split()) == 1


async def test_delivery_of_a_dead_process_is_claimed_when_its_lease_is_over(
    media: MediaClient, database: Database
) -> None:
    """The clock of the claims is ahead, so that the service's own worker leaves them alone."""
    future = datetime.now(UTC) + timedelta(days=1)
    hook = await create(media, "http://127.0.0.1:1/")
    delivery_id = await queue(database, media, hook, future)
    lease, hour = timedelta(seconds=0.5), timedelta(hours=1)
    (dead,) = await repository.claim(database, future, lease, DueQuery(10))
    later = future + hour  # by the clock of another process, which is ahead
    assert await repository.claim(database, later, lease, DueQuery(10)) == []
    await asyncio.sleep(lease.total_seconds())
    (taken,) = await repository.claim(database, later, hour, DueQuery(10))
    assert dead.id == taken.id == delivery_id
    failed, delivered = Attempt(future, 1, 500), Attempt(later, 1, 200)
    lost = DeliveryResult(dead, failed, Outcome("dead"), None)
    await repository.finish(database, lost, later)
    assert [one["status"] for one in await deliveries(media, hook)] == ["pending"]
    made = DeliveryResult(taken, delivered, Outcome("delivered"), None)
    await repository.finish(database, made, later)
    (listed,) = await deliveries(media, hook)
    assert (listed["status"], len(listed["attempts"])) == ("delivered", 1)


async def test_deliveries_are_filtered_and_paged(
    media: MediaClient, database: Database, receiver: Receiver
) -> None:
    hook = await create(media, receiver.url)
    await media.call("POST", f"/webhooks/{hook['id']}/test")
    await wait_for(media, hook, "delivered")
    future = datetime.now(UTC) + timedelta(days=1)
    pending = str(await queue(database, media, hook, future))
    assert [one["id"] for one in await deliveries(media, hook, status="pending")] == [pending]
    assert [one["id"] for one in await deliveries(media, hook, event="creative.due")] == [pending]
    path = f"/webhooks/{hook['id']}/deliveries"
    # a row may have 20 KB that its receiver chose
    assert (await media.call("GET", path, params={"limit": "200"})).status == 200
    assert (await media.call("GET", path, params={"limit": "201"})).status == 422
    first = (await media.call("GET", path, params={"limit": "1"})).body
    second = (
        await media.call("GET", path, params={"limit": "1", "cursor": first["next_cursor"]})
    ).body
    assert [one["type"] for one in first["items"] + second["items"]] == [
        "creative.due",
        "webhook.test",
    ]
    for query in ({"status": "lost"}, {"event": "*"}, {"cursor": "x"}):
        assert (await media.call("GET", path, params=query)).code == "validation_failed"


async def test_test_is_refused_while_five_wait(
    serving_media: Callable[..., Any], database: Database
) -> None:
    async with serving_media(publish_worker=False) as media:
        hook, other = [await create(media, "http://127.0.0.1:1/") for _ in range(2)]
        path = f"/webhooks/{hook['id']}/test"
        answers = await asyncio.gather(*(media.call("POST", path) for _ in range(9)))
        assert sorted(answer.status for answer in answers) == [202] * 5 + [409] * 4
        assert (await media.call("POST", f"/webhooks/{other['id']}/test")).status == 202
        assert len(await deliveries(media, hook)) == 5
        await database.execute("UPDATE webhook_deliveries SET status = 'dead'")
        assert (await media.call("POST", path)).status == 202


async def test_deliveries_are_deleted_in_batches_before_their_webhook(
    media: MediaClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One statement over very many would be ended by its time-out, each time."""
    monkeypatch.setattr(repository, "BATCH", 2)
    hook, future = await create(media, "http://127.0.0.1:1/"), datetime.now(UTC) + timedelta(days=1)
    for _ in range(5):
        await queue(database, media, hook, future)
    left, delete = list[int](), endpoints.delete

    async def count_and_delete(*arguments: Any) -> bool:
        left.append(await database.fetchval("SELECT count(*) FROM webhook_deliveries"))
        return await delete(*arguments)

    monkeypatch.setattr(endpoints, "delete", count_and_delete)
    stranger = media.as_other_user()
    assert (await stranger.call("DELETE", f"/webhooks/{hook['id']}")).status == 404
    assert len(await deliveries(media, hook)) == 5
    assert (await media.call("DELETE", f"/webhooks/{hook['id']}")).status == 204
    assert left == [0]


async def test_deliveries_of_another_user_are_404(media: MediaClient, receiver: Receiver) -> None:
    hook, stranger = await create(media, receiver.url), media.as_other_user()
    path = f"/webhooks/{hook['id']}"
    assert (await stranger.call("GET", f"{path}/deliveries")).code == "not_found"
    assert (await stranger.call("POST", f"{path}/test")).code == "not_found"
    assert receiver.connections == 0


async def test_deliveries_expire_after_30_days_and_go_with_their_webhook(
    media: MediaClient, database: Database
) -> None:
    hook = await create(media, "http://127.0.0.1:1/")
    future = datetime.now(UTC) + timedelta(days=1)
    await queue(database, media, hook, future)
    await repository.delete_expired(database, future + RETENTION - timedelta(seconds=1))
    assert len(await deliveries(media, hook)) == 1
    await database.execute(
        """INSERT INTO webhook_deliveries (id, endpoint_id, event_id, type, body, created_at)
           SELECT gen_random_uuid(), $1, gen_random_uuid(), 'creative.due', '{}', $2
           FROM generate_series(1, $3)""",
        UUID(hook["id"]),
        future,
        2 * repository.BATCH + 1,
    )
    await repository.delete_expired(database, future + RETENTION)
    assert await deliveries(media, hook) == []
    await queue(database, media, hook, future)
    assert (await media.call("DELETE", f"/webhooks/{hook['id']}")).status == 204
    assert await database.fetchval("SELECT count(*) FROM webhook_deliveries") == 0


@pytest.mark.usefixtures("rare_jobs")
async def test_deliveries_and_events_of_30_days_ago_are_deleted_by_the_running_service(
    serving_media: Callable[..., Any], database: Database
) -> None:
    long_ago = datetime.now(UTC) - RETENTION
    async with serving_media(publish_worker=False) as media:
        hook = await create(media, "http://127.0.0.1:1/")
        await queue(database, media, hook, long_ago)
        async with database.transaction() as connection:
            event = Event(uuid4(), media.user_id, "product.deleted", long_ago, "{}")
            await events.insert(connection, event)

    async def are_gone() -> bool:
        tables = ("events", "webhook_deliveries")
        return [await database.fetchval(f"select count(*) from {one}") for one in tables] == [0, 0]

    async with serving_media(publish_worker=False):
        await until(are_gone)
