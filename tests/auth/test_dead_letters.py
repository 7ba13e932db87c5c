"""Dead letters, as an administrator sees them and sends them after all."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from auth_service.audit.service import Audit
from auth_service.delivery.queue import Queue
from shared.errors import ServiceUnavailable
from tests.auth.test_admin import NUMBER, be_admin
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.providers import ProviderStandIn
from tests.support.waiting import until


async def test_dead_letters_are_listed_and_retried(
    through: Callable[..., Any],
    auth_db: Connection,
    twilio: ProviderStandIn,
    redis: Redis,
    clock: MovableClock,
) -> None:
    async with through("console") as auth:
        admin = await be_admin(auth, auth_db)
    twilio.answers = [400, 400, 400]
    async with through("twilio") as auth:
        for last in range(3):
            await auth.ask(f"+91987654321{last}")

        async def all_dead() -> bool:
            return bool(await redis.llen("deliveries:dead") == 3)

        await until(all_dead, 10)
        path, letters = "/admin/deliveries/dead", list[Any]()
        params = {"limit": "2"}
        while params:
            page = (await auth.call("GET", path, token=admin, params=params)).body
            letters += page["items"]
            params = {"limit": "2", "cursor": page["next_cursor"]} if page["next_cursor"] else {}
        assert sorted(letter["to"] for letter in letters) == ["…10", "…11", "…12"]
        assert {letter["template"] for letter in letters} == {"code"}
        assert not [text for text in ("parameters", "sealed", "+9198") if text in str(letters)]
        for cursor in ("x", "WyJ4Il0", "WyItMSJd"):
            bad = await auth.call("GET", path, token=admin, params={"cursor": cursor})
            assert bad.code == "validation_failed"
        retry = "/admin/deliveries/{}/retry"
        again = retry.format(letters[0]["id"])
        assert (await auth.call("POST", again, token=admin)).status == 204
        assert (await twilio.received(4))[-1]["To"].endswith(letters[0]["to"][1:])
        assert (await auth.call("POST", again, token=admin)).code == "not_found"
        assert (await auth.call("POST", retry.format(uuid4()), token=admin)).code == "not_found"
        clock.advance(seconds=301)
        late = await auth.call("POST", retry.format(letters[1]["id"]), token=admin)
        assert (late.status, late.code) == (409, "conflict")
    details = "select details from audit_events where event = 'delivery.retried'"
    assert letters[0]["id"] in await auth_db.fetchval(details)


async def test_no_message_is_queued_again_untold(
    through: Callable[..., Any],
    auth_db: Connection,
    twilio: ProviderStandIn,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The event is stored first: whatever breaks then, nothing was done that nobody knows of."""
    async with through("console") as auth:
        admin = await be_admin(auth, auth_db)
    twilio.answers = [400]
    async with through("twilio") as auth:
        await auth.ask(NUMBER)

        async def dead() -> bool:
            return bool(await redis.llen("deliveries:dead"))

        await until(dead, 10)
        letters = await auth.call("GET", "/admin/deliveries/dead", token=admin)
        again = f"/admin/deliveries/{letters.body['items'][0]['id']}/retry"
        told = "select count(*) from audit_events where event = 'delivery.retried'"

        async def away(*_: object) -> None:
            raise ServiceUnavailable

        with monkeypatch.context() as broken:
            broken.setattr(Audit, "append", away)
            assert (await auth.call("POST", again, token=admin)).status == 503
        assert await dead()
        with monkeypatch.context() as broken:
            broken.setattr(Queue, "revive", away)
            assert (await auth.call("POST", again, token=admin)).status == 503
        assert await auth_db.fetchval(told) == 1
        unknown = f"/admin/deliveries/{uuid4()}/retry"
        assert (await auth.call("POST", unknown, token=admin)).code == "not_found"
        assert await auth_db.fetchval(told) == 1  # nothing was tried
        assert (await auth.call("POST", again, token=admin)).status == 204
        assert not await dead()
