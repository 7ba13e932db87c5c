"""A message that is given up writes its event, once for each time that it dies."""

from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from auth_service.delivery.dead_letter_events import DEAD, DeadLetterEvents
from auth_service.delivery.queue import DeliveryConsumer
from auth_service.delivery.sender import Sender
from shared.errors import ServiceUnavailable
from tests.auth.test_admin import make_admin
from tests.support.account_events import recorded
from tests.support.database import Connection, locked_table
from tests.support.providers import FakeProvider
from tests.support.waiting import until

NUMBER = "+919876543210"


async def wait_for_letters(redis: Redis, count: int = 1) -> None:
    async def dead() -> bool:
        return bool(await redis.llen("deliveries:dead") == count)

    await until(dead, 10)


async def dead_messages(db: Connection) -> list[dict[str, Any]]:
    """The data of each event, without the ids."""
    data = [data for event_type, data in await recorded(db) if event_type == DEAD]
    assert all(one.pop("id") for one in data)
    return data


@pytest.mark.parametrize(("contacts", "to"), [("masked", "…10"), ("full", NUMBER)])
async def test_message_given_up_writes_message_dead(
    serving_with: Callable[..., Any],
    auth_db: Connection,
    twilio: FakeProvider,
    redis: Redis,
    *,
    contacts: str,
    to: str,
) -> None:
    twilio.answers = [400]
    async with serving_with("twilio", webhook_contacts=contacts) as auth:
        await auth.request_code(NUMBER)
        await wait_for_letters(redis)
        assert await dead_messages(auth_db) == [{"channel": "sms", "kind": "code", "to": to}]


async def test_message_sent_writes_no_event(
    serving_with: Callable[..., Any], auth_db: Connection, twilio: FakeProvider
) -> None:
    async with serving_with("twilio") as auth:
        await auth.request_code(NUMBER)
        await twilio.received(1)
    assert await recorded(auth_db) == []


async def test_message_given_up_writes_one_event_when_its_dead_letter_comes_late(
    serving_with: Callable[..., Any],
    auth_db: Connection,
    twilio: FakeProvider,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As after the death of a worker between the two: another one takes the entry over."""
    twilio.always = 400
    tries = 0
    original = DeliveryConsumer.dead_letter

    async def fail_once(*arguments: Any) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ServiceUnavailable
        await original(*arguments)

    monkeypatch.setattr(DeliveryConsumer, "dead_letter", fail_once)
    async with serving_with("twilio") as auth:
        await auth.request_code(NUMBER)
        await wait_for_letters(redis)
    assert (tries, len(await dead_messages(auth_db))) == (2, 1)


async def test_message_that_dies_again_after_a_retry_writes_another_event(
    serving_with: Callable[..., Any], auth_db: Connection, twilio: FakeProvider, redis: Redis
) -> None:
    async with serving_with("console") as auth:
        admin = await make_admin(auth, auth_db)
    twilio.always = 400
    async with serving_with("twilio") as auth:
        await auth.request_code(NUMBER)
        await wait_for_letters(redis)
        [letter] = (await auth.call("GET", "/admin/deliveries/dead", token=admin)).body["items"]
        path = f"/admin/deliveries/{letter['id']}/retry"
        assert (await auth.call("POST", path, token=admin)).status == 204
        await twilio.received(2)
        await wait_for_letters(redis)
    ids = [data["id"] for event_type, data in await recorded(auth_db) if event_type == DEAD]
    assert ids == [letter["id"]] * 2


async def test_message_whose_event_cannot_be_stored_stays_in_the_queue(
    serving_with: Callable[..., Any],
    auth_db: Connection,
    twilio: FakeProvider,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    twilio.always = 400
    tries = 0
    original = DeadLetterEvents.record

    async def count(*arguments: Any) -> None:
        nonlocal tries
        try:
            await original(*arguments)
        finally:
            tries += 1

    async def tried() -> bool:
        return tries > 0

    monkeypatch.setattr(DeadLetterEvents, "record", count)
    async with serving_with("twilio") as auth:
        async with locked_table(auth_db, "events"):
            await auth.request_code(NUMBER)
            await until(tried, 10)
            assert (await redis.llen("deliveries:dead"), await redis.xlen("deliveries")) == (0, 1)
        await wait_for_letters(redis)
    assert len(await dead_messages(auth_db)) == 1


async def test_message_that_crashes_the_worker_writes_message_dead(
    serving_with: Callable[..., Any],
    auth_db: Connection,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def crash(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Sender, "_send", crash)
    async with serving_with("twilio") as auth:
        await auth.request_code(NUMBER)
        await wait_for_letters(redis)
    assert await dead_messages(auth_db) == [{"channel": "sms", "kind": "code", "to": "…10"}]


async def test_message_that_no_key_opens_writes_message_dead_without_its_address(
    serving_with: Callable[..., Any], auth_db: Connection, redis: Redis
) -> None:
    async with serving_with("twilio"):
        fields = {"id": "unreadable", "not_after": 2**42, "sealed": b"nothing of ours"}
        await redis.xadd("deliveries", fields)  # type: ignore[arg-type]
        await wait_for_letters(redis)
    assert await dead_messages(auth_db) == [{"channel": None, "kind": None, "to": None}]
