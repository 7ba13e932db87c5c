"""Webhook endpoints through the HTTP interface."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from structlog.testing import capture_logs

from shared.entropy import SystemEntropy
from shared.webhooks.endpoint.sealing import SecretSealer
from shared.webhooks.signature import require_secret
from tests.conftest import MEDIA_SECRET
from tests.support.auth_client import Answer
from tests.support.media_client import MediaClient
from tests.support.waiting import until

HOOK: dict[str, Any] = {"url": "https://receiver.example/hook", "events": ["creative.due"]}


async def create(media: MediaClient, **fields: Any) -> Any:
    answer = await media.call("POST", "/webhooks", json=HOOK | fields)
    assert answer.status == 201, answer.body
    return answer.body


async def change(media: MediaClient, hook: Any, **fields: Any) -> Answer:
    return await media.call("PATCH", f"/webhooks/{hook['id']}", json=fields)


async def test_webhook_created_is_returned_with_its_secret_once(media: MediaClient) -> None:
    answer = await media.call("POST", "/webhooks", json=HOOK | {"description": "Blog"})
    made = dict(answer.body)
    assert answer.status == 201
    assert answer.headers["Location"] == f"/v1/media/webhooks/{made['id']}"
    assert require_secret(made.pop("secret")).startswith("whsec_")
    assert made == {
        **HOOK,
        "id": made["id"],
        "description": "Blog",
        "status": "enabled",
        "failing_since": None,
        "created_at": made["created_at"],
    }
    assert (await media.call("GET", f"/webhooks/{made['id']}")).body == made
    assert (await media.call("GET", "/webhooks")).body == {"items": [made], "next_cursor": None}


async def test_webhooks_are_listed_newest_first_in_pages(media: MediaClient) -> None:
    ids = [(await create(media))["id"] for _ in range(3)][::-1]
    first = (await media.call("GET", "/webhooks", params={"limit": 2})).body
    query = {"limit": 2, "cursor": first["next_cursor"]}
    second = (await media.call("GET", "/webhooks", params=query)).body
    assert [item["id"] for item in first["items"] + second["items"]] == ids
    assert second["next_cursor"] is None


async def test_webhook_change_is_returned(media: MediaClient) -> None:
    made = await create(media, description="Blog")
    fields = {"url": "https://other.example/", "events": ["*"], "status": "disabled"}
    changed = await change(media, made, **fields, description="")
    assert changed.status == 200
    assert {name: changed.body[name] for name in fields} == fields
    assert changed.body["description"] == ""
    assert (await change(media, made, status="enabled")).body["url"] == fields["url"]


async def test_webhook_deleted_is_gone(media: MediaClient) -> None:
    made = await create(media)
    path = f"/webhooks/{made['id']}"
    assert (await media.call("DELETE", path)).status == 204
    for method in ("GET", "DELETE"):
        assert (await media.call(method, path)).code == "not_found"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["creative.due", "product.created"], ["creative.due", "product.created"]),
        (["creative.due", "creative.due"], ["creative.due"]),
        (["creative.due", "*"], ["*"]),
    ],
)
async def test_webhook_events_are_kept_once_each(
    media: MediaClient, given: list[str], kept: list[str]
) -> None:
    assert (await create(media, events=given))["events"] == kept


@pytest.mark.parametrize(
    "fields",
    [
        {"events": []},
        {"events": ["creative.exploded"]},
        {"events": ["webhook.test"]},
        {"events": "*"},
        {"url": ""},
        {"url": "https://receiver.example/" + "x" * 2048},
        {"url": "https://receiver.example/\r\nX: y"},
        {"description": "x" * 201},
        {"status": "enabled"},
        {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
    ],
)
async def test_webhook_malformed_is_422(media: MediaClient, fields: dict[str, Any]) -> None:
    answer = await media.call("POST", "/webhooks", json=HOOK | fields)
    assert (answer.status, answer.code) == (422, "validation_failed")


async def test_webhook_unknown_event_is_one_error_that_names_the_events(media: MediaClient) -> None:
    answer = await media.call("POST", "/webhooks", json=HOOK | {"events": ["creative.dew"]})
    [error] = answer.body["errors"]
    assert error["field"] == "events.0"
    assert "'creative.due'" in error["message"]
    assert "'*'" in error["message"]


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "ftp://receiver.example/",
        "https://user:password@receiver.example/",
        "receiver.example",
    ],
)
async def test_webhook_refused_address_is_422_and_changes_nothing(
    media: MediaClient, url: str
) -> None:
    made = await create(media)
    for answer in (
        await media.call("POST", "/webhooks", json=HOOK | {"url": url}),
        await change(media, made, url=url, status="disabled"),
    ):
        assert (answer.status, answer.code) == (422, "webhook_address_refused")
    (listed,) = (await media.call("GET", "/webhooks")).body["items"]
    assert (listed["url"], listed["status"]) == (HOOK["url"], "enabled")


async def test_webhook_eleventh_is_409_also_when_20_arrive_at_once(media: MediaClient) -> None:
    answers = await asyncio.gather(*(media.call("POST", "/webhooks", json=HOOK) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [201] * 10 + [409] * 10
    assert (await media.as_other_user().call("POST", "/webhooks", json=HOOK)).status == 201
    listed = (await media.call("GET", "/webhooks")).body["items"]
    await media.call("DELETE", f"/webhooks/{listed[0]['id']}")
    await create(media)


async def test_webhook_of_another_user_is_404(media: MediaClient) -> None:
    made = await create(media)
    stranger = media.as_other_user()
    path = f"/webhooks/{made['id']}"
    for method, where, body in (
        ("GET", path, None),
        ("PATCH", path, {"status": "disabled"}),
        ("PATCH", path, {"url": "http://10.0.0.1/"}),
        ("POST", f"{path}/rotate-secret", None),
        ("DELETE", path, None),
    ):
        answer = await stranger.call(method, where, json=body)
        assert (answer.status, answer.code) == (404, "not_found")
    assert (await stranger.call("GET", "/webhooks")).body["items"] == []


async def test_webhook_secret_rotated_is_new_and_kept_encrypted(
    media: MediaClient, media_dsn: str
) -> None:
    made = await create(media)
    rotated = await media.call("POST", f"/webhooks/{made['id']}/rotate-secret")
    assert rotated.status == 200
    assert rotated.body["secret"] != made["secret"]
    connection = await asyncpg.connect(media_dsn)
    row = await connection.fetchrow("select * from webhook_endpoints")
    await connection.close()
    assert row is not None
    sealer = SecretSealer([MEDIA_SECRET.encode()], SystemEntropy())
    assert sealer.open(row["id"], row["secret"]) == rotated.body["secret"]
    assert sealer.open(row["id"], row["previous_secret"]) == made["secret"]
    for secret in (made["secret"], rotated.body["secret"]):
        assert secret.encode() not in row["secret"] + row["previous_secret"]
        assert secret not in str(row)


@pytest.mark.usefixtures("rare_jobs")
async def test_webhook_secrets_survive_the_rotation_of_our_keys(
    serving_media: Callable[..., Any], media_dsn: str
) -> None:
    newer = MEDIA_SECRET[::-1]
    async with serving_media() as media:
        made = await create(media)
        await media.call("POST", f"/webhooks/{made['id']}/rotate-secret")
    connection = await asyncpg.connect(media_dsn)
    alone = SecretSealer([newer.encode()], SystemEntropy())

    async def all_resealed() -> bool:
        row = await connection.fetchrow("select * from webhook_endpoints")
        assert row is not None
        try:
            previous = alone.open(row["id"], row["previous_secret"])
            return previous == made["secret"] and alone.open(row["id"], row["secret"]) != ""
        except ValueError:
            return False

    async with serving_media(media_secret_keys=f"{newer},{MEDIA_SECRET}"):
        await until(all_resealed)
    await connection.close()


@pytest.mark.usefixtures("rare_jobs")
async def test_webhook_secret_of_a_dropped_key_is_logged(serving_media: Callable[..., Any]) -> None:
    async with serving_media() as media:
        made = await create(media)
    with capture_logs() as logs:
        async with serving_media(media_secret_keys=MEDIA_SECRET[::-1]):
            await until(lambda: [one for one in logs if one["event"] == "webhook.secret_lost"])
    lost = next(one for one in logs if one["event"] == "webhook.secret_lost")
    assert lost["webhook_id"] == made["id"]


def test_webhook_sealed_secret_opens_for_its_endpoint_alone() -> None:
    sealer = SecretSealer([b"x" * 32, b"y" * 32], SystemEntropy())
    endpoint = uuid4()
    sealed = sealer.seal(endpoint, "whsec_1")
    assert sealer.open(endpoint, sealed) == "whsec_1"
    assert sealer.reseal(endpoint, sealed) is None
    for other, text in ((uuid4(), sealed), (endpoint, sealed[:-1]), (endpoint, b"")):
        with pytest.raises(ValueError, match="MEDIA_SECRET_KEYS"):
            sealer.open(other, text)
