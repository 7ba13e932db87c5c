"""Events of accounts reach the webhooks of operators, and are delivered again when they ask."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from standardwebhooks import Webhook

from auth_service.commands import run_purge, run_worker
from auth_service.settings import AuthSettings
from auth_service.wiring import Wiring
from shared.background import cancel_and_wait
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from tests.support.administrator import Administrator
from tests.support.auth_client import Answer, AuthClient
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.waiting import until
from tests.support.webhook_receiver import ReceivedRequest, Receiver, answering
from tests.support.webhooks import create, deliveries, is_signed_by, wait_for

NUMBER, OTHER = "+919876543210", "+919876543211"


@pytest.fixture
async def auth(serving_auth: Callable[..., Any]) -> AsyncIterator[AuthClient]:
    """auth_service with its webhooks, which make two attempts."""
    async with serving_auth(publish_worker=True, webhook_attempts="0s,0s") as client:
        yield client


@pytest.fixture
async def admin(auth: AuthClient, auth_db: Connection) -> Administrator:
    return await Administrator.create(auth, auth_db)


@pytest.fixture
def quick_gauges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.webhooks.housekeeping.GAUGE_SECONDS", 0.1)


async def gauges(auth: AuthClient, name: str) -> dict[str, float]:
    """The values of a gauge by its labels."""
    async with auth.http.get("/metrics") as answer:
        text = await answer.text()
    found = re.findall(rf"^{name}(\{{.*\}})? (\S+)$", text, re.MULTILINE)
    return {labels: float(value) for labels, value in found}


def verify(request: ReceivedRequest, hook: Any) -> Any:
    return Webhook(hook["secret"]).verify(request.body, dict(request.headers))


async def redeliver(admin: Administrator, hook: Any, delivery: object) -> Answer:
    return await admin.call("POST", f"/webhooks/{hook['id']}/deliveries/{delivery}/redeliver")


async def redeliver_since(admin: Administrator, hook: Any, since: object) -> Answer:
    return await admin.call("POST", f"/webhooks/{hook['id']}/redeliver", json={"since": since})


async def test_sign_up_is_delivered_once_to_each_webhook_that_wants_it(
    auth: AuthClient, admin: Administrator, receiver: Receiver
) -> None:
    wanted = await create(admin, receiver.url, "user.created")
    every = await create(admin, receiver.url)
    unwanted = await create(admin, receiver.url, "factor.added")
    user = (await auth.sign_in(NUMBER))["user"]
    (delivery,) = await wait_for(admin, wanted, "delivered")
    listed = await wait_for(admin, every, "delivered", "delivered")
    assert await deliveries(admin, unwanted) == []
    assert [one["type"] for one in listed] == ["session.created", "user.created"]
    assert delivery["event_id"] == listed[1]["event_id"]
    (request,) = [one for one in receiver.requests if is_signed_by(one, wanted["secret"])]
    payload = verify(request, wanted)
    assert request.headers["webhook-id"] == delivery["event_id"]
    assert (payload["type"], payload["data"]["id"]) == ("user.created", user["id"])
    assert payload["data"]["created_at"] == user["created_at"]
    assert not [one for one in receiver.requests if NUMBER[3:].encode() in one.body]


async def test_event_of_before_a_webhook_is_not_delivered_to_it(
    auth: AuthClient, admin: Administrator, receiver: Receiver
) -> None:
    await auth.sign_in(NUMBER)
    hook = await create(admin, receiver.url, "user.created")
    await auth.sign_in(OTHER)
    await wait_for(admin, hook, "delivered")
    assert len(receiver.requests) == 1


async def test_admin_test_is_delivered_and_listed_with_its_attempt(
    admin: Administrator, receiver: Receiver
) -> None:
    hook = await create(admin, receiver.url)
    answer = await admin.call("POST", f"/webhooks/{hook['id']}/test")
    assert answer.status == 202
    (delivery,) = await wait_for(admin, hook, "delivered")
    payload = verify(receiver.requests[0], hook)
    assert (payload["type"], payload["data"]) == ("webhook.test", {"webhook_id": hook["id"]})
    assert (delivery["id"], delivery["type"]) == (answer.body["delivery_id"], "webhook.test")
    assert [one["status_code"] for one in delivery["attempts"]] == [200]
    assert await deliveries(admin, hook, event="user.created") == []
    unknown = await admin.call(
        "GET", f"/webhooks/{hook['id']}/deliveries", params={"event": "creative.due"}
    )
    assert unknown.code == "validation_failed"


async def test_sixth_waiting_test_is_409(
    serving_auth: Callable[..., Any], auth_db: Connection, receiver: Receiver
) -> None:
    async with serving_auth() as auth:  # no process makes the attempts
        admin = await Administrator.create(auth, auth_db)
        path = f"/webhooks/{(await create(admin, receiver.url))['id']}/test"
        answers = [await admin.call("POST", path) for _ in range(6)]
    assert [answer.status for answer in answers] == [202] * 5 + [409]
    assert answers[5].code == "conflict"


async def test_delivery_after_a_rotation_is_signed_by_both_secrets(
    admin: Administrator, receiver: Receiver
) -> None:
    hook = await create(admin, receiver.url)
    path = f"/webhooks/{hook['id']}"
    newer = (await admin.call("POST", f"{path}/rotate-secret")).body["secret"]
    await admin.call("POST", f"{path}/test")
    await wait_for(admin, hook, "delivered")
    (request,) = receiver.requests
    assert is_signed_by(request, hook["secret"])
    assert is_signed_by(request, newer)


async def test_dead_delivery_redelivered_is_the_same_message(
    auth: AuthClient, admin: Administrator, receiver: Receiver
) -> None:
    receiver.respond = answering(503)
    hook = await create(admin, receiver.url, "user.created")
    await auth.sign_in(NUMBER)
    (dead,) = await wait_for(admin, hook, "dead")
    receiver.respond = answering(200)
    assert (await redeliver(admin, hook, dead["id"])).status == 202
    (again,) = await wait_for(admin, hook, "delivered")
    assert [one["status_code"] for one in again["attempts"]] == [503, 503, 200]
    assert {one.headers["webhook-id"] for one in receiver.requests} == {dead["event_id"]}
    assert len({one.body for one in receiver.requests}) == 1


async def test_all_that_failed_since_a_time_is_redelivered(
    auth: AuthClient, admin: Administrator, receiver: Receiver
) -> None:
    receiver.respond = answering(503)
    hook = await create(admin, receiver.url, "user.created")
    for number in (NUMBER, OTHER):
        await auth.sign_in(number)
    await wait_for(admin, hook, "dead", "dead")
    receiver.respond = answering(200)
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert (await redeliver_since(admin, hook, later)).status == 202
    assert {one["status"] for one in await deliveries(admin, hook)} == {"dead"}
    assert (await redeliver_since(admin, hook, "2026-01-01")).status == 202
    await wait_for(admin, hook, "delivered", "delivered")


async def test_webhook_that_answers_410_is_disabled_until_it_is_enabled(
    auth: AuthClient, admin: Administrator, receiver: Receiver
) -> None:
    receiver.respond = answering(410)
    hook = await create(admin, receiver.url, "user.created")
    await auth.sign_in(NUMBER)
    (dead,) = await wait_for(admin, hook, "dead")
    audit = (await admin.call("GET", "/audit", params={"event": "webhook.disabled"})).body["items"]
    assert [(one["actor_id"], one["details"]) for one in audit] == [(None, {"webhook": hook["id"]})]
    shown = (await admin.call("GET", f"/webhooks/{hook['id']}")).body
    assert (shown["status"], len(dead["attempts"])) == ("disabled", 1)
    for answer in (
        await redeliver(admin, hook, dead["id"]),
        await redeliver_since(admin, hook, "2026-01-01"),
    ):
        assert (answer.status, answer.code) == (409, "conflict")
    receiver.respond = answering(200)
    await admin.call("PATCH", f"/webhooks/{hook['id']}", json={"status": "enabled"})
    assert (await redeliver(admin, hook, dead["id"])).status == 202
    await wait_for(admin, hook, "delivered")


async def test_purge_removes_deliveries_after_30_days(
    auth: AuthClient,
    admin: Administrator,
    auth_db: Connection,
    auth_settings: Callable[..., AuthSettings],
    receiver: Receiver,
) -> None:
    hook = await create(admin, receiver.url, "user.created")
    await auth.sign_in(NUMBER)
    await wait_for(admin, hook, "delivered")
    later = MovableClock()
    for days, left in ((29, 1), (2, 0)):
        later.advance(days=days)
        wiring = Wiring(auth_settings(), clock=later, entropy=SystemEntropy())
        assert await run_purge(wiring) == 0
        assert await auth_db.fetchval("select count(*) from webhook_deliveries") == left


async def test_deliveries_of_no_webhook_are_404_and_malformed_redeliveries_422(
    admin: Administrator, receiver: Receiver
) -> None:
    hook, missing = await create(admin, receiver.url), {"id": uuid4()}
    for answer in (
        await admin.call("GET", f"/webhooks/{missing['id']}/deliveries"),
        await admin.call("POST", f"/webhooks/{missing['id']}/test"),
        await redeliver(admin, missing, uuid4()),
        await redeliver(admin, hook, uuid4()),
        await redeliver_since(admin, missing, "2026-01-01"),
    ):
        assert (answer.status, answer.code) == (404, "not_found")
    assert (await redeliver_since(admin, hook, "yesterday")).code == "validation_failed"


@pytest.mark.usefixtures("quick_gauges")
async def test_publish_worker_off_delivers_nothing_and_the_worker_command_does(
    serving_auth: Callable[..., Any],
    auth_settings: Callable[..., AuthSettings],
    auth_db: Connection,
    receiver: Receiver,
) -> None:
    async with serving_auth(publish_worker=False) as auth:
        admin = await Administrator.create(auth, auth_db)
        hook = await create(admin, receiver.url, "user.created")
        await auth.sign_in(NUMBER)

        async def is_overdue() -> bool:
            found = await gauges(auth, "auth_webhooks_overdue_seconds")
            return found != {} and found[""] > 0

        await until(is_overdue)
        assert await deliveries(admin, hook) == []
        wiring = Wiring(auth_settings(), clock=SystemClock(), entropy=SystemEntropy())
        worker = asyncio.create_task(run_worker(wiring))
        await wait_for(admin, hook, "delivered")
        await cancel_and_wait(worker)
    assert len(receiver.requests) == 1


@pytest.mark.usefixtures("quick_gauges")
async def test_webhooks_that_fail_are_counted_by_status(
    serving_auth: Callable[..., Any], auth_db: Connection, receiver: Receiver
) -> None:
    async with serving_auth(publish_worker=True, webhook_attempts="0s") as auth:
        admin = await Administrator.create(auth, auth_db)
        for status, event in ((503, "user.created"), (410, "session.created")):
            receiver.respond = answering(status)
            hook = await create(admin, receiver.url, event)
            await auth.sign_in(NUMBER)
            await wait_for(admin, hook, "dead")

        async def are_counted() -> bool:
            found = await gauges(auth, "auth_webhooks_failing")
            return found == {'{status="enabled"}': 1, '{status="disabled"}': 1}

        await until(are_counted)
