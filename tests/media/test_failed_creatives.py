"""A creative is failed when every endpoint has given up, and published again after a success."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.media_client import MediaClient
from tests.support.publishing import OWNER, all_events, create_due
from tests.support.waiting import until
from tests.support.webhook_receiver import Receiver, answering, open_receiver
from tests.support.webhooks import create, wait_for


@pytest.fixture
async def media(serving_media: Callable[..., Any]) -> AsyncIterator[MediaClient]:
    """media_service with its publisher and webhooks, which make two attempts."""
    async with serving_media(publish_worker=True, webhook_attempts="0s,0s") as client:
        yield client


@pytest.fixture
async def down() -> AsyncIterator[Receiver]:
    """A receiver that accepts nothing."""
    async with open_receiver() as opened:
        opened.respond = answering(500)
        yield opened


async def wait_for_status(media: MediaClient, creative_id: str, status: str) -> Any:
    path = f"/creatives/{creative_id}"

    async def reached() -> bool:
        return bool((await media.call("GET", path)).body["status"] == status)

    await until(reached)
    return (await media.call("GET", path)).body


def received(receiver: Receiver, event_type: str) -> list[Any]:
    payloads = [json.loads(request.body) for request in receiver.requests]
    return [payload["data"] for payload in payloads if payload["type"] == event_type]


async def test_creative_that_no_endpoint_accepts_is_failed_with_an_event(
    media: MediaClient, receiver: Receiver, down: Receiver
) -> None:
    async with open_receiver() as gone:
        gone.respond = answering(410)
        await create(media, down.url, "creative.due")
        await create(media, gone.url, "creative.due")
        await create(media, receiver.url, "creative.failed")
        created = await media.upload(when="now")
        failed = await wait_for_status(media, created["id"], "failed")
        await until(lambda: receiver.requests)
    assert failed["published_at"] is not None
    assert failed["version"] == 3
    (event,) = received(receiver, "creative.failed")
    assert event | {"file_url": failed["file_url"]} == failed
    listed = await media.call("GET", "/creatives", params={"status": "failed"})
    assert listed.body["items"] == [failed]


async def test_creative_that_one_endpoint_accepts_stays_published(
    media: MediaClient, media_db: Connection, receiver: Receiver, down: Receiver
) -> None:
    bad = await create(media, down.url, "creative.due")
    good = await create(media, receiver.url, "creative.due")
    created = await media.upload(when="now")
    await wait_for(media, bad, "dead")
    await wait_for(media, good, "delivered")
    assert (await media.call("GET", f"/creatives/{created['id']}")).body["status"] == "published"
    types = [event["type"] for event in await all_events(media_db)]
    assert types == ["creative.created", "creative.due"]


async def test_creative_that_is_redelivered_is_published_again(
    media: MediaClient, receiver: Receiver, down: Receiver
) -> None:
    hook = await create(media, down.url, "creative.due")
    await create(media, receiver.url, "creative.failed", "creative.updated")
    created = await media.upload(when="now")
    failed = await wait_for_status(media, created["id"], "failed")
    (dead,) = await wait_for(media, hook, "dead")
    path = f"/webhooks/{hook['id']}/deliveries/{dead['id']}/redeliver"
    await media.call("POST", path)
    await wait_for(media, hook, "dead")
    assert (await media.call("GET", f"/creatives/{created['id']}")).body == failed
    down.respond = answering(200)
    await media.call("POST", path)
    again = await wait_for_status(media, created["id"], "published")
    assert again["published_at"] == failed["published_at"]
    assert again["version"] == failed["version"] + 1
    await until(lambda: received(receiver, "creative.updated"))
    (updated,) = received(receiver, "creative.updated")
    assert updated | {"file_url": again["file_url"]} == again
    assert len(received(receiver, "creative.failed")) == 1


async def test_creatives_whose_deliveries_end_at_once_in_two_processes_all_fail_once(
    serving_media: Callable[..., Any], media_db: Connection, down: Receiver, clock: MovableClock
) -> None:
    """Each of a creative's last deliveries may end while the other is not yet stored."""
    settings = {"publish_worker": True, "webhook_attempts": "0s"}
    async with serving_media(**settings) as other, serving_media(**settings):
        media = MediaClient.of(other.http, other.mint, OWNER)
        for _ in range(4):
            await create(media, down.url, "creative.due")
        await create_due(media_db, *[clock.now()] * 20)

        async def are_over() -> bool:
            dead = "select count(*) from webhook_deliveries where status = 'dead'"
            return bool(await media_db.fetchval(dead) == 80)

        await until(are_over, 30)
    statuses = await media_db.fetch("select distinct status, version from creatives")
    assert [tuple(row) for row in statuses] == [("failed", 3)]
    events = [event["type"] for event in await all_events(media_db)]
    assert events.count("creative.failed") == len(events) / 2 == 20


async def test_creative_deleted_before_its_endpoints_give_up_writes_no_event(
    serving_media: Callable[..., Any], media_db: Connection, down: Receiver
) -> None:
    async with serving_media(publish_worker=True, webhook_attempts="3s,0s") as media:
        hook = await create(media, down.url, "creative.due")
        created = await media.upload(when="now")
        await wait_for(media, hook, "pending")
        assert (await media.call("DELETE", f"/creatives/{created['id']}")).status == 204
        await wait_for(media, hook, "dead")
    types = [event["type"] for event in await all_events(media_db)]
    assert types == ["creative.created", "creative.due"]
