"""Changes of creatives and products write their events in the same transaction."""

from typing import Any

import pytest

from tests.support.database import Connection, locked_table
from tests.support.media_client import FORM, MediaClient, form, part, picture_form
from tests.support.pictures import encode
from tests.support.products import LAMP, create_product
from tests.support.publishing import all_events

PHOTO = form(part("photo", encode(), '; filename="p.jpg"'))


async def recorded_events(media_db: Connection, media: MediaClient) -> list[tuple[str, Any]]:
    """Type and data of each event, oldest first."""
    events = await all_events(media_db)
    assert {event["user_id"] for event in events} <= {media.user_id}
    assert all(event["id"].version == 7 for event in events)
    return [(event["type"], event["data"]) for event in events]


async def patch(media: MediaClient, path: str, version: int, **change: Any) -> Any:
    headers = {"If-Match": f'"{version}"'}
    answer = await media.call("PATCH", path, json=change, headers=headers)
    assert answer.status == 200, answer.body
    return answer.body


async def test_creative_changes_write_one_event_each_with_the_creative(
    media: MediaClient, media_db: Connection
) -> None:
    created = await media.upload(part("title", "Ünïcode 🎉"))
    path = f"/creatives/{created['id']}"
    renamed = await patch(media, path, 1, title="New")
    cancelled = await patch(media, path, 2, title="Off", status="cancelled")
    again = await patch(media, path, 3, status="cancelled")
    assert await recorded_events(media_db, media) == [
        ("creative.created", created),
        ("creative.updated", renamed),
        ("creative.cancelled", cancelled),
        ("creative.updated", again),
    ]
    assert (await media.call("DELETE", path)).status == 204
    assert len(await recorded_events(media_db, media)) == 4


async def test_product_changes_write_one_event_each_with_the_product(
    media: MediaClient, media_db: Connection
) -> None:
    created = await create_product(media, description="For reading\nat night")
    path = f"/products/{created['id']}"
    cheaper = await patch(media, path, 1, price=1)
    shown = (await media.call("PUT", f"{path}/photo", data=PHOTO, headers=FORM)).body
    assert (await media.call("DELETE", path)).status == 204
    assert await recorded_events(media_db, media) == [
        ("product.created", created),
        ("product.updated", cheaper),
        ("product.updated", shown),
        ("product.deleted", shown),
    ]


async def test_product_created_with_a_photo_writes_one_event(
    media: MediaClient, media_db: Connection
) -> None:
    fields = [part(name, str(value)) for name, value in LAMP.items()]
    body = form(part("photo", encode(), '; filename="p.jpg"'), *fields)
    created = (await media.call("POST", "/products", data=body, headers=FORM)).body
    assert await recorded_events(media_db, media) == [("product.created", created)]


async def test_request_repeated_with_its_idempotency_key_writes_one_event(
    media: MediaClient, media_db: Connection
) -> None:
    headers = {"Idempotency-Key": "one"}
    body = picture_form()
    for _ in range(2):
        assert (await media.send(body, headers=headers)).status == 201
        answer = await media.call("POST", "/products", json=LAMP, headers=headers)
        assert answer.status == 201
    types = [event_type for event_type, _ in await recorded_events(media_db, media)]
    assert types == ["creative.created", "product.created"]


async def test_change_that_is_refused_writes_no_event(
    media: MediaClient, media_db: Connection
) -> None:
    creative, product = await media.upload(), await create_product(media)
    stale, stranger = {"If-Match": '"7"'}, media.as_other_user()
    for method, path, change in (
        ("PATCH", f"/creatives/{creative['id']}", {"title": "x"}),
        ("PATCH", f"/products/{product['id']}", {"price": 1}),
        ("DELETE", f"/products/{product['id']}", None),
    ):
        refused = await media.call(method, path, json=change, headers=stale)
        assert refused.status == 412
        missing = await stranger.call(method, path, json=change, headers=stale)
        assert missing.status == 404
    assert [kind for kind, _ in await recorded_events(media_db, media)] == [
        "creative.created",
        "product.created",
    ]


@pytest.mark.parametrize("kind", ["creatives", "products"])
async def test_change_whose_event_cannot_be_written_is_not_made(
    media: MediaClient, media_db: Connection, kind: str
) -> None:
    made = await (media.upload() if kind == "creatives" else create_product(media))
    path = f"/{kind}/{made['id']}"
    change = {"title": "x"} if kind == "creatives" else {"price": 1}
    async with locked_table(media_db, "events"):
        answers = [
            await media.call("PATCH", path, json=change, headers={"If-Match": '"1"'}),
            await media.send(picture_form())
            if kind == "creatives"
            else await media.call("POST", "/products", json=LAMP),
        ]
        if kind == "products":
            answers.append(await media.call("DELETE", path))
            photo = await media.call("PUT", f"{path}/photo", data=PHOTO, headers=FORM)
            answers.append(photo)
    assert {answer.code for answer in answers} == {"service_unavailable"}
    assert (await media.call("GET", f"/{kind}")).body["items"] == [made]
