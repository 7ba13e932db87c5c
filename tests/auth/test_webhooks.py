"""Webhooks of operators: all administrators own them together, and each change is audited."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from auth_service.event.model import OPERATORS, EventType
from auth_service.wiring import WEBHOOK_SECRET_LABEL
from shared.entropy import SystemEntropy
from shared.errors import ServiceUnavailable
from shared.webhooks.endpoint import repository
from shared.webhooks.endpoint.sealing import SecretSealer
from shared.webhooks.signature import require_secret
from tests.conftest import SECRET
from tests.support.administrator import Administrator
from tests.support.auth_client import AuthClient
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.waiting import until

OTHER_ADMIN = "+919876543201"
HOST = "receiver.example"
HOOK: dict[str, Any] = {"url": f"https://{HOST}/hook?key=k9", "events": ["user.created"]}
ACTS = "select * from audit_events where event like 'webhook.%' order by id"


@pytest.fixture
async def admin(auth: AuthClient, auth_db: Connection) -> Administrator:
    return await Administrator.create(auth, auth_db)


@pytest.fixture
async def other_admin(auth: AuthClient, auth_db: Connection) -> Administrator:
    return await Administrator.create(auth, auth_db, OTHER_ADMIN)


async def create(admin: Administrator, **fields: Any) -> Any:
    answer = await admin.call("POST", "/webhooks", json=HOOK | fields)
    assert answer.status == 201, answer.body
    return answer.body


async def acts(auth_db: Connection) -> list[tuple[str, str, dict[str, str]]]:
    """Event, actor and details of each audited act on a webhook."""
    rows = await auth_db.fetch(ACTS)
    return [(row["event"], str(row["actor_id"]), json.loads(row["details"])) for row in rows]


async def test_admin_webhook_created_is_returned_with_its_secret_once(
    admin: Administrator, other_admin: Administrator
) -> None:
    answer = await admin.call("POST", "/webhooks", json=HOOK | {"description": "CRM"})
    made = dict(answer.body)
    assert answer.status == 201
    assert answer.headers["Location"] == f"/v1/auth/admin/webhooks/{made['id']}"
    assert require_secret(made.pop("secret")).startswith("whsec_")
    assert made == {
        **HOOK,
        "id": made["id"],
        "description": "CRM",
        "status": "enabled",
        "failing_since": None,
        "created_at": made["created_at"],
    }
    for one in (admin, other_admin):
        assert (await one.call("GET", f"/webhooks/{made['id']}")).body == made
        assert (await one.call("GET", "/webhooks")).body == {"items": [made], "next_cursor": None}


async def test_admin_webhook_is_changed_rotated_and_deleted_by_another_administrator(
    admin: Administrator, other_admin: Administrator
) -> None:
    made = await create(admin)
    path = f"/webhooks/{made['id']}"
    changed = await other_admin.call("PATCH", path, json={"events": ["*"], "status": "disabled"})
    assert (changed.body["events"], changed.body["status"]) == (["*"], "disabled")
    rotated = await other_admin.call("POST", f"{path}/rotate-secret")
    assert require_secret(rotated.body["secret"]) != made["secret"]
    assert (await other_admin.call("DELETE", path)).status == 204
    assert (await admin.call("GET", path)).code == "not_found"


async def test_admin_webhook_takes_each_event_of_accounts_and_no_other(
    admin: Administrator,
) -> None:
    every = list(get_args(EventType))
    assert (await create(admin, events=every))["events"] == every
    for unknown in ("creative.due", "webhook.test", "user.signed_in"):
        answer = await admin.call("POST", "/webhooks", json=HOOK | {"events": [unknown]})
        assert (answer.status, answer.code) == (422, "validation_failed")


async def test_admin_webhook_eleventh_is_409_also_when_two_administrators_ask_at_once(
    admin: Administrator, other_admin: Administrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(9):
        await create(admin)
    insert = repository.insert

    async def insert_slowly(*arguments: Any) -> bool:
        """The other creation begins before this one is committed."""
        inserted = await insert(*arguments)
        await asyncio.sleep(0.5)
        return inserted

    monkeypatch.setattr(repository, "insert", insert_slowly)
    both = [one.call("POST", "/webhooks", json=HOOK) for one in (admin, other_admin)]
    assert sorted(answer.status for answer in await asyncio.gather(*both)) == [201, 409]


async def test_admin_webhook_acts_are_audited_with_actor_and_host_but_no_key(
    admin: Administrator, other_admin: Administrator, auth_db: Connection
) -> None:
    made = await create(admin)
    path, webhook = f"/webhooks/{made['id']}", {"webhook": made["id"]}
    await other_admin.call("PATCH", path, json={"status": "disabled"})
    await other_admin.call("PATCH", path, json={"url": "https://other.example:443/k8"})
    await admin.call("POST", f"{path}/rotate-secret")
    await admin.call("DELETE", path)
    assert await acts(auth_db) == [
        ("webhook.created", admin.user_id, webhook | {"host": HOST}),
        ("webhook.changed", other_admin.user_id, webhook),
        ("webhook.changed", other_admin.user_id, webhook | {"host": "other.example"}),
        ("webhook.secret_rotated", admin.user_id, webhook),
        ("webhook.deleted", admin.user_id, webhook),
    ]
    (first, *_) = await auth_db.fetch(ACTS)
    assert (first["user_id"], first["outcome"]) == (None, "success")
    assert str(first["address"]) == "127.0.0.1"


async def test_admin_webhook_refused_act_changes_and_audits_nothing(
    admin: Administrator, auth_db: Connection
) -> None:
    made = await create(admin)
    path, missing = f"/webhooks/{made['id']}", f"/webhooks/{uuid4()}"
    inside = {"url": "http://10.0.0.1/"}
    for method, where, body, code in (
        ("POST", "/webhooks", HOOK | inside, "webhook_address_refused"),
        ("PATCH", path, inside, "webhook_address_refused"),
        ("PATCH", missing, {"status": "disabled"}, "not_found"),
        ("POST", f"{missing}/rotate-secret", None, "not_found"),
        ("DELETE", missing, None, "not_found"),
    ):
        assert (await admin.call(method, where, json=body)).code == code
    assert [event for event, _, _ in await acts(auth_db)] == ["webhook.created"]
    (listed,) = (await admin.call("GET", "/webhooks")).body["items"]
    assert (listed["url"], listed["status"]) == (HOOK["url"], "enabled")


async def test_admin_webhook_act_whose_audit_event_cannot_be_stored_is_not_done(
    admin: Administrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await create(admin)
    path, shown = f"/webhooks/{made['id']}", (await admin.call("GET", "/webhooks")).body

    async def fail(*_: object) -> None:
        raise ServiceUnavailable

    monkeypatch.setattr("auth_service.audit.repository.insert_event", fail)
    for method, where, body in (
        ("POST", "/webhooks", HOOK),
        ("PATCH", path, {"status": "disabled"}),
        ("POST", f"{path}/rotate-secret", None),
        ("DELETE", path, None),
    ):
        assert (await admin.call(method, where, json=body)).status == 503
    assert (await admin.call("GET", "/webhooks")).body == shown


async def test_admin_webhook_secret_is_kept_encrypted_under_a_key_of_its_own(
    admin: Administrator, auth_db: Connection
) -> None:
    made = await create(admin)
    row = await auth_db.fetchrow("select * from webhook_endpoints")
    assert row is not None
    assert row["user_id"] == OPERATORS
    assert made["secret"] not in str(row)
    sealer = SecretSealer([SECRET.encode()], SystemEntropy(), WEBHOOK_SECRET_LABEL)
    assert sealer.open(UUID(made["id"]), row["secret"]) == made["secret"]
    of_users = SecretSealer([SECRET.encode()], SystemEntropy())
    with pytest.raises(ValueError, match="SECRET_KEYS"):
        of_users.open(UUID(made["id"]), row["secret"])


async def test_admin_webhook_secrets_survive_the_rotation_of_our_keys(
    serving_auth: Callable[..., Any], auth_db: Connection
) -> None:
    newer = SECRET[::-1]
    async with serving_auth() as auth:
        made = await create(await Administrator.create(auth, auth_db))
    alone = SecretSealer([newer.encode()], SystemEntropy(), WEBHOOK_SECRET_LABEL)

    async def is_resealed() -> bool:
        sealed = await auth_db.fetchval("select secret from webhook_endpoints")
        try:
            return alone.open(UUID(made["id"]), sealed) == str(made["secret"])
        except ValueError:
            return False

    async with serving_auth(secret_keys=f"{newer},{SECRET}"):
        await until(is_resealed)


async def test_admin_webhook_secret_of_a_dropped_key_is_logged(
    serving_auth: Callable[..., Any], auth_db: Connection
) -> None:
    async with serving_auth() as auth:
        made = await create(await Administrator.create(auth, auth_db))
    with capture_logs() as logs:
        async with serving_auth(secret_keys=SECRET[::-1]):
            await until(lambda: [one for one in logs if one["event"] == "webhook.secret_lost"])
    lost = next(one for one in logs if one["event"] == "webhook.secret_lost")
    assert lost["webhook_id"] == made["id"]


async def test_admin_webhook_new_address_or_secret_needs_a_recent_authentication(
    admin: Administrator, clock: MovableClock, auth_db: Connection
) -> None:
    """A stolen token would have all events of accounts sent on, also after its end."""
    path = f"/webhooks/{(await create(admin))['id']}"
    before = await acts(auth_db)
    clock.advance(minutes=6)
    for method, asked, body in (
        ("POST", "/webhooks", HOOK),
        ("PATCH", path, {"url": "https://other.example/"}),
        ("POST", f"{path}/rotate-secret", None),
    ):
        refused = await admin.call(method, asked, json=body)
        assert (refused.status, refused.code) == (403, "step_up_required")
    assert await acts(auth_db) == before
    assert (await admin.call("GET", path)).body["url"] == HOOK["url"]
    assert (await admin.call("DELETE", path)).status == 204
