"""Each event is delivered to each endpoint that is to get it: once, in order, without delay."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from shared.webhooks.model import MAX_BODY_BYTES
from tests.conftest import ISSUER
from tests.support.clock import MovableClock
from tests.support.command_process import KillPoint, run_command, wait_for_exit
from tests.support.database import Connection
from tests.support.media_client import FORM, MediaClient, form, part
from tests.support.pictures import encode
from tests.support.products import create_product
from tests.support.waiting import until
from tests.support.webhook_receiver import ReceivedRequest, Receiver
from tests.support.webhooks import create, deliveries

QUEUE = "shared.webhooks.delivery.repository.insert_many"


@pytest.fixture
async def working_media(serving_media: Callable[..., Any]) -> AsyncIterator[MediaClient]:
    """media_service with its publisher and its webhooks."""
    async with serving_media(publish_worker=True) as client:
        yield client


def requests_to(receiver: Receiver, path: str) -> list[ReceivedRequest]:
    return [one for one in receiver.requests if one.line.split()[1] == path]


def types_at(receiver: Receiver, path: str) -> list[str]:
    return sorted(json.loads(one.body)["type"] for one in requests_to(receiver, path))


async def wait_for_type(receiver: Receiver, event_type: str) -> ReceivedRequest:
    """The first request with an event of this type."""

    def matching() -> list[ReceivedRequest]:
        return [one for one in receiver.requests if json.loads(one.body)["type"] == event_type]

    await until(matching)
    return matching()[0]


async def test_event_reaches_each_enabled_endpoint_of_its_user_that_wants_it(
    working_media: MediaClient, receiver: Receiver
) -> None:
    media, base = working_media, receiver.url.removesuffix("/hook")
    await create(media, f"{base}/all")
    await create(media, f"{base}/due", "creative.due", "creative.failed")
    await create(media, f"{base}/products", "product.created")
    off = await create(media, f"{base}/off")
    await media.call("PATCH", f"/webhooks/{off['id']}", json={"status": "disabled"})
    await create(media.as_other_user(), f"{base}/foreign")
    await media.upload(when="now")
    await create_product(media)
    await until(lambda: len(receiver.requests) >= 5)
    await media.call("POST", f"/webhooks/{off['id']}/test")  # queued after all others
    await until(lambda: requests_to(receiver, "/off"))
    assert types_at(receiver, "/all") == ["creative.created", "creative.due", "product.created"]
    assert types_at(receiver, "/due") == ["creative.due"]
    assert types_at(receiver, "/products") == ["product.created"]
    assert types_at(receiver, "/off") == ["webhook.test"]
    assert types_at(receiver, "/foreign") == []
    ids = {one.headers["webhook-id"] for one in requests_to(receiver, "/all")}
    assert requests_to(receiver, "/due")[0].headers["webhook-id"] in ids


async def test_due_creative_is_delivered_with_a_link_that_works_for_7_days(
    working_media: MediaClient, media_db: Connection, receiver: Receiver, clock: MovableClock
) -> None:
    media = working_media
    hook = await create(media, receiver.url, "creative.due")
    created = await media.upload(when="now")
    request = await wait_for_type(receiver, "creative.due")
    payload = Webhook(hook["secret"]).verify(request.body, dict(request.headers))
    published = (await media.call("GET", f"/creatives/{created['id']}")).body
    assert list(payload) == ["type", "timestamp", "data"]
    assert payload["timestamp"] == published["published_at"]
    link = payload["data"].pop("file_url")
    added = {"due_at": created["scheduled_at"], "late": False}
    published.pop("file_url")
    assert payload["data"] == published | added
    event = await media_db.fetchrow("select * from events where type = 'creative.due'")
    assert event is not None
    assert request.headers["webhook-id"] == str(event["id"])
    assert link.startswith(f"{ISSUER}/v1/media/creatives/{created['id']}/file?")
    for days, status in ((0, 200), (6.9, 200), (0.2, 403)):
        clock.advance(days=days)
        async with media.http.get(link.removeprefix(ISSUER)) as answer:
            assert answer.status == status


async def test_product_is_delivered_with_the_whole_url_of_its_photo(
    working_media: MediaClient, receiver: Receiver
) -> None:
    media = working_media
    await create(media, receiver.url)
    product = await create_product(media)
    created = json.loads((await wait_for_type(receiver, "product.created")).body)
    assert created["data"] == product
    photo = form(part("photo", encode(), '; filename="p.jpg"'))
    path = f"/products/{product['id']}/photo"
    shown = (await media.call("PUT", path, data=photo, headers=FORM)).body
    updated = json.loads((await wait_for_type(receiver, "product.updated")).body)
    assert updated["data"] == shown | {"photo_url": ISSUER + shown["photo_url"]}


async def test_product_of_the_greatest_length_is_delivered(
    working_media: MediaClient, receiver: Receiver
) -> None:
    media = working_media
    await create(media, receiver.url)
    await create_product(media, name="🎉" * 200, description="🎉" * 4000, price=2**53 - 1)
    request = await wait_for_type(receiver, "product.created")
    assert 16_000 < len(request.body) < MAX_BODY_BYTES


async def test_due_creative_is_delivered_at_once_however_rarely_processes_poll(
    serving_media: Callable[..., Any], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.webhooks.delivery.fan_out.POLL_SECONDS", 600)
    monkeypatch.setattr("shared.webhooks.delivery.worker.POLL_SECONDS", 600)
    async with serving_media(publish_worker=True) as media:
        await create(media, receiver.url)
        await media.upload(when="now")
        await wait_for_type(receiver, "creative.due")


@pytest.mark.parametrize("leaving", [False, True])
async def test_worker_killed_while_it_queues_leaves_each_event_for_one_delivery(
    media: MediaClient,
    media_environment: dict[str, str],
    receiver: Receiver,
    tmp_path: Path,
    leaving: bool,
) -> None:
    hook = await create(media, receiver.url)
    await create_product(media)

    def worker(death: KillPoint | None) -> Any:
        output, environment = tmp_path / "worker.log", media_environment
        return run_command(
            "media_service", "worker", environment=environment, output=output, death=death
        )

    async with worker(KillPoint(QUEUE, leaving=leaving)) as killed, asyncio.timeout(60):
        assert await wait_for_exit(killed) == -signal.SIGKILL
    assert await deliveries(media, hook) == []
    async with worker(None) as process, asyncio.timeout(60):
        await wait_for_type(receiver, "product.created")
        await create_product(media)
        await until(lambda: len(receiver.requests) == 2)
        process.terminate()
        assert await wait_for_exit(process) == 0
    listed = await deliveries(media, hook)
    assert [one["status"] for one in listed] == ["delivered"] * 2
    assert len({one["event_id"] for one in listed}) == 2


async def test_delivery_has_the_pause_before_its_first_attempt(
    serving_media: Callable[..., Any], media_db: Connection, receiver: Receiver
) -> None:
    async with serving_media(publish_worker=True, webhook_attempts="1h,5s") as media:
        hook = await create(media, receiver.url)
        await create_product(media)

        async def queued() -> list[Any]:
            return await deliveries(media, hook)

        await until(queued)
        (delivery,) = await queued()
        happened = await media_db.fetchval("select occurred_at from events")
        pause = datetime.fromisoformat(delivery["next_attempt_at"]) - happened
        assert timedelta(hours=1) <= pause < timedelta(hours=1, seconds=20)
        assert receiver.connections == 0
