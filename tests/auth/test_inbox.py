"""The development inbox waits for a message, so that a script can read the code at once."""

import asyncio

import pytest

from auth_service.delivery.console import Inbox
from auth_service.delivery.model import Message
from tests.support.auth_client import Answer, AuthClient
from tests.support.clock import MovableClock

NUMBER = "+919876543210"


async def inbox(auth: AuthClient, wait: float) -> Answer:
    return await auth.call("GET", "/dev/inbox", params={"to": NUMBER, "wait": str(wait)})


async def texts(auth: AuthClient, wait: float) -> list[str]:
    return [item["text"] for item in (await inbox(auth, wait)).body["items"]]


async def test_inbox_waits_for_the_message_of_the_request_before(auth: AuthClient) -> None:
    for sent in range(1, 4):
        async with asyncio.timeout(10):
            await auth.request_code(NUMBER)
            assert len(await texts(auth, 20)) == sent


async def test_inbox_waits_for_a_message_that_is_asked_for_later(
    auth: AuthClient, clock: MovableClock
) -> None:
    await auth.request_code(NUMBER)
    [old] = await texts(auth, 20)
    clock.advance(minutes=1)
    async with asyncio.timeout(10):
        waiting = asyncio.create_task(texts(auth, 20))
        await asyncio.sleep(0.2)
        assert not waiting.done(), "the old message is not meant"
        await auth.request_code(NUMBER)
        newest, last = await waiting
    assert (last, newest[:6].isdigit()) == (old, True)


async def test_inbox_slow_delivery_is_waited_for(
    auth: AuthClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await auth.request_code(NUMBER)
    assert len(await texts(auth, 20)) == 1
    store = Inbox.store

    async def store_late(box: Inbox, message: Message) -> None:
        await asyncio.sleep(0.5)
        await store(box, message)

    monkeypatch.setattr(Inbox, "store", store_late)
    await auth.request_code(NUMBER)
    assert len(await texts(auth, 20)) == 2, "the recent one of before is not the newest"


async def test_inbox_without_message_answers_in_time(auth: AuthClient) -> None:
    async with asyncio.timeout(10):
        assert await texts(auth, 0.2) == []
        assert await texts(auth, 0) == []


@pytest.mark.parametrize("wait", ["-1", "21", "soon", "nan", "inf"])
async def test_inbox_wait_out_of_range_is_refused(auth: AuthClient, wait: str) -> None:
    refused = await auth.call("GET", "/dev/inbox", params={"to": NUMBER, "wait": wait})
    assert (refused.status, refused.code) == (422, "validation_failed")
