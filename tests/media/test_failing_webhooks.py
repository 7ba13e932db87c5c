"""A webhook that accepts nothing for 5 days is disabled, and its user and operators see it."""

import re
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.db import Database
from tests.support.clock import MovableClock
from tests.support.media_client import MediaClient
from tests.support.waiting import until
from tests.support.webhook_receiver import Receiver, answering
from tests.support.webhooks import create, deliveries, queue

DOWN, UP = answering(500), answering(200)


@pytest.fixture
async def media(serving_media: Callable[..., Any]) -> AsyncIterator[MediaClient]:
    """media_service with its webhooks, which make one attempt."""
    async with serving_media(publish_worker=True, webhook_attempts="0s") as client:
        yield client


async def state(media: MediaClient, hook: Any) -> tuple[str, str | None]:
    """Status and time of the first failure, as the user sees them."""
    body = (await media.call("GET", f"/webhooks/{hook['id']}")).body
    return body["status"], body["failing_since"]


async def deliver(media: MediaClient, database: Database, hook: Any) -> Any:
    """The delivery of another event, once it is over."""
    delivery_id = str(await queue(database, media, hook))

    async def is_over() -> bool:
        (listed,) = [one for one in await deliveries(media, hook) if one["id"] == delivery_id]
        return bool(listed["status"] in {"delivered", "dead"})

    await until(is_over)
    return next(one for one in await deliveries(media, hook) if one["id"] == delivery_id)


async def send_test(media: MediaClient, hook: Any) -> None:
    """Send a test, and wait until it is over."""
    before = len(await deliveries(media, hook))
    await media.call("POST", f"/webhooks/{hook['id']}/test")

    async def is_over() -> bool:
        listed = await deliveries(media, hook)
        return len(listed) > before and listed[0]["status"] in {"delivered", "dead"}

    await until(is_over)


async def test_webhook_that_fails_for_5_days_is_disabled(
    media: MediaClient, database: Database, receiver: Receiver, clock: MovableClock
) -> None:
    receiver.respond = DOWN
    hook, began = await create(media, receiver.url), clock.now()
    await deliver(media, database, hook)
    status, failing_since = await state(media, hook)
    assert status == "enabled"
    assert failing_since is not None
    assert began <= datetime.fromisoformat(failing_since) <= clock.now()
    media = await media.wait_out(clock, days=4.99)
    await deliver(media, database, hook)
    assert await state(media, hook) == ("enabled", failing_since)
    media = await media.wait_out(clock, days=0.02)
    with capture_logs() as logs:
        await deliver(media, database, hook)
        assert await state(media, hook) == ("disabled", failing_since)
    (disabled,) = [one for one in logs if one["event"] == "webhook.disabled"]
    assert disabled["webhook_id"] == hook["id"]
    assert (await deliver(media, database, hook))["attempts"] == []
    assert len(receiver.requests) == 3


async def test_webhook_that_accepts_an_event_or_a_test_no_longer_fails(
    media: MediaClient, database: Database, receiver: Receiver, clock: MovableClock
) -> None:
    hook = await create(media, receiver.url)
    for accept in (deliver, None):
        receiver.respond = DOWN
        await deliver(media, database, hook)
        assert (await state(media, hook))[1] is not None
        receiver.respond = UP
        await (accept(media, database, hook) if accept else send_test(media, hook))
        assert await state(media, hook) == ("enabled", None)
    receiver.respond = DOWN
    media = await media.wait_out(clock, days=6)
    await deliver(media, database, hook)
    assert (await state(media, hook))[0] == "enabled"


async def test_webhook_whose_test_fails_does_not_count_as_failing(
    media: MediaClient, receiver: Receiver
) -> None:
    receiver.respond = DOWN
    hook = await create(media, receiver.url)
    await send_test(media, hook)
    assert await state(media, hook) == ("enabled", None)


@pytest.mark.parametrize("change", [{"status": "enabled"}, {"url": None}])
async def test_webhook_enabled_again_or_moved_has_5_days_again(
    media: MediaClient,
    database: Database,
    receiver: Receiver,
    clock: MovableClock,
    change: dict[str, str | None],
) -> None:
    receiver.respond = DOWN
    hook = await create(media, receiver.url)
    path = f"/webhooks/{hook['id']}"
    await deliver(media, database, hook)
    media = await media.wait_out(clock, days=6)
    if "url" in change:
        await media.call("PATCH", path, json={"url": receiver.url})
    else:
        await deliver(media, database, hook)
        assert (await state(media, hook))[0] == "disabled"
        await media.call("PATCH", path, json=change)
    assert await state(media, hook) == ("enabled", None)
    await deliver(media, database, hook)
    status, failing_since = await state(media, hook)
    assert status == "enabled"
    assert failing_since is not None
    await media.call("PATCH", path, json={"description": "x", "events": ["creative.due"]})
    assert await state(media, hook) == (status, failing_since)


async def test_webhook_that_answers_410_is_disabled_though_it_never_failed_before(
    media: MediaClient, database: Database, receiver: Receiver
) -> None:
    receiver.respond = answering(410)
    hook = await create(media, receiver.url)
    await deliver(media, database, hook)
    status, failing_since = await state(media, hook)
    assert status == "disabled"
    assert failing_since is not None


async def test_webhooks_that_fail_are_counted_by_status(
    serving_media: Callable[..., Any],
    database: Database,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.webhooks.housekeeping.GAUGE_SECONDS", 0.1)
    async with serving_media(publish_worker=True, webhook_attempts="0s") as media:

        async def failing() -> dict[str, float]:
            async with media.http.get("/metrics") as answer:
                text = await answer.text()
            pattern = r'^media_webhooks_failing\{status="(\w+)"\} (\S+)$'
            return {
                status: float(count) for status, count in re.findall(pattern, text, re.MULTILINE)
            }

        assert await failing() == {"enabled": 0, "disabled": 0}
        for respond in (UP, DOWN, answering(503), answering(410)):
            receiver.respond = respond
            await deliver(media, database, await create(media, receiver.url))

        async def are_counted() -> bool:
            return await failing() == {"enabled": 2, "disabled": 1}

        await until(are_counted)
