"""PATCH /creatives/{id}: another day, another title, or none; each change names its version."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg

from tests.support.auth_client import Answer
from tests.support.clock import MovableClock
from tests.support.injection_texts import INJECTIONS
from tests.support.media_client import MediaClient, day, part
from tests.support.products import LAMP, create_product


async def patch(media: MediaClient, made: Any, version: str | None, /, **change: Any) -> Answer:
    headers = {} if version is None else {"If-Match": version}
    return await media.call("PATCH", f"/creatives/{made['id']}", json=change, headers=headers)


async def test_creative_patched_is_rescheduled_renamed_and_cancelled(media: MediaClient) -> None:
    made = await media.upload(part("timezone", "Asia/Kolkata"), part("title", "Old"))
    moved = await patch(media, made, '"1"', scheduled_at=day(50))
    assert moved.status == 200, moved.body
    assert moved.body["scheduled_at"] == f"{day(49)}T18:30:00Z"
    assert (moved.body["timezone"], moved.body["version"]) == ("Asia/Kolkata", 2)
    assert moved.headers["ETag"] == '"2"'
    renamed = await patch(media, made, moved.headers["ETag"], title="  New  ")
    assert (renamed.body["title"], renamed.body["version"]) == ("New", 3)
    untitled = await patch(media, made, '"3"', title=None, status=None, scheduled_at=None)
    assert untitled.body["title"] is None
    gone = await patch(media, made, '"4"', status="cancelled")
    assert (gone.body["status"], gone.body["version"]) == ("cancelled", 5)
    assert gone.body["scheduled_at"] == moved.body["scheduled_at"]
    now = await media.call("GET", f"/creatives/{made['id']}")
    assert (now.body, now.headers["ETag"]) == (gone.body, '"5"')
    assert gone.body["updated_at"] > made["updated_at"]


async def test_creative_patch_day_is_read_in_the_given_timezone(media: MediaClient) -> None:
    made = await media.upload()
    east = await patch(media, made, '"1"', scheduled_at=day(20), timezone="Pacific/Kiritimati")
    assert east.body["scheduled_at"] == f"{day(19)}T10:00:00Z"
    label = await patch(media, made, '"2"', timezone="Pacific/Pago_Pago")
    assert label.body["timezone"] == "Pacific/Pago_Pago"
    assert label.body["scheduled_at"] == east.body["scheduled_at"]
    moment = await patch(media, made, '"3"', scheduled_at=f"{day(20)}T23:30:00-11:00")
    assert moment.body["scheduled_at"] == f"{day(21)}T10:30:00Z"


async def test_creative_patch_without_version_is_428_and_stale_one_412(media: MediaClient) -> None:
    made = await media.upload()
    refused = await patch(media, made, None, title="x")
    assert (refused.status, refused.code) == (428, "precondition_required")
    for tag in ('"2"', '"0"', "2", 'W/"2"', '"x"', "'1'", '"1', '"10000000000"', '"2", "3"'):
        refused = await patch(media, made, tag, title="x")
        assert (refused.status, refused.code) == (412, "version_mismatch"), tag
        assert refused.body["current_version"] == 1
    for number, tag in enumerate(('"1"', "*", "3", '"9", "4"', 'W/"5"'), start=2):
        assert (await patch(media, made, tag, title="x")).body["version"] == number, tag


async def test_creative_patches_at_once_of_one_version_apply_one(media: MediaClient) -> None:
    made = await media.upload()
    answers = await asyncio.gather(*(patch(media, made, '"1"', title=str(n)) for n in range(10)))
    assert sorted(answer.status for answer in answers) == [200] + [412] * 9
    winner = next(answer.body for answer in answers if answer.status == 200)
    assert (await media.call("GET", f"/creatives/{made['id']}")).body == winner


async def test_deletion_with_if_match_removes_that_version_alone(media: MediaClient) -> None:
    lamp = {"name": "Lamp", "price": 1, "currency": "EUR"}
    product = (await media.call("POST", "/products", json=lamp)).body
    for path in (f"/creatives/{(await media.upload())['id']}", f"/products/{product['id']}"):
        stale = await media.call("DELETE", path, headers={"If-Match": '"2"'})
        assert (stale.status, stale.code) == (412, "version_mismatch")
        assert (await media.call("GET", path)).status == 200
        stranger = media.as_other_user()
        foreign = await stranger.call("DELETE", path, headers={"If-Match": '"2"'})
        assert foreign.code == "not_found"
        named = await media.call("DELETE", path, headers={"If-Match": '"1"'})
        assert named.status == 204
        gone = await media.call("DELETE", path, headers={"If-Match": '"1"'})
        assert gone.code == "not_found"


async def test_creative_reschedule_unless_scheduled_is_409(
    media: MediaClient, media_dsn: str
) -> None:
    connection = await asyncpg.connect(media_dsn)
    for state in ("published", "failed", "cancelled"):
        made = await media.upload()
        await connection.execute("update creatives set status=$1 where id=$2", state, made["id"])
        refused = await patch(media, made, '"1"', scheduled_at=day(9))
        assert (refused.status, refused.code) == (409, "conflict")
        assert (await patch(media, made, '"1"', title="still")).status == 200
        cancelled = await patch(media, made, '"2"', status="cancelled")
        assert cancelled.status == (200 if state == "cancelled" else 409)
    await connection.close()


async def test_creative_patch_by_another_user_is_404(media: MediaClient) -> None:
    made = await media.upload()
    editor = media.as_other_user("editor")
    for stranger in (media.as_other_user(), editor):
        refused = await patch(stranger, made, '"1"', title="mine")
        nothing = await patch(stranger, {"id": uuid4()}, '"1"', title="mine")
        assert (refused.code, nothing.code) == ("not_found", "not_found")
    assert (await media.call("GET", f"/creatives/{made['id']}")).body == made


BAD_CHANGES: list[tuple[set[str], Any]] = [
    ({"body"}, {}),
    ({"colour"}, {"colour": "red"}),
    ({"version"}, {"version": 2}),
    ({"status"}, {"status": "published"}),
    ({"scheduled_at"}, {"scheduled_at": ""}),
    ({"scheduled_at"}, {"scheduled_at": 20261224}),
    ({"scheduled_at"}, {"scheduled_at": "2026-12-24T10:00:00 05:30"}),
    ({"scheduled_at"}, {"scheduled_at": "9999-12-31"}),
    ({"timezone"}, {"timezone": ""}),
    ({"timezone"}, {"timezone": "Mars/Olympus"}),
    ({"title"}, {"title": 1}),
    ({"title"}, {"title": "x" * 201}),
    ({"title"}, {"title": "a\tb"}),
    ({"timezone", "scheduled_at"}, {"timezone": "Mars/Olympus", "scheduled_at": "tomorrow"}),
    ({"title", "timezone", "status"}, {"title": [], "timezone": 1, "status": "lost"}),
]


async def test_creative_patch_invalid_field_is_422_and_changes_nothing(media: MediaClient) -> None:
    made = await media.upload()
    for fields, change in BAD_CHANGES:
        refused = await patch(media, made, '"1"', **change)
        assert (refused.status, refused.code) == (422, "validation_failed"), change
        assert {error["field"] for error in refused.body["errors"]} == fields, change
    past = await patch(media, made, '"1"', scheduled_at=day(-1))
    assert (past.status, past.code) == (422, "scheduled_in_past")
    assert (await media.call("GET", f"/creatives/{made['id']}")).body == made


async def test_creative_patch_malformed_body_is_refused(media: MediaClient) -> None:
    path, headers = f"/creatives/{(await media.upload())['id']}", {"If-Match": '"1"'}
    form = await media.call("PATCH", path, data={"title": "x"}, headers=headers)
    assert (form.status, form.code) == (415, "unsupported_media_type")
    headers |= {"Content-Type": "application/json"}
    for body, code in ((b"{", "malformed_json"), (b'{"title":"\\u0000"}', "malformed_json")):
        assert (await media.call("PATCH", path, data=body, headers=headers)).code == code
    big = await media.call("PATCH", path, data=b" " * 65_537, headers=headers)
    assert (big.status, big.code) == (413, "body_too_large")


async def test_creative_title_injection_text_is_stored_literally(media: MediaClient) -> None:
    for text in INJECTIONS:
        await try_text(media, text)


async def try_text(media: MediaClient, text: str) -> None:
    made = await media.upload(part("title", text))
    assert made["title"] == text.strip()
    changed = await patch(media, made, '"1"', title=f"again {text}")
    assert changed.body["title"] == f"again {text}".strip()
    for field in ("scheduled_at", "timezone", "status"):
        assert (await patch(media, made, '"2"', **{field: text})).status == 422
    assert (await patch(media, made, text.encode("ascii", "replace").decode())).status in {412, 422}


HISTORY = [
    ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),  # midnight does not exist
    ("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z"),  # 23:00 comes twice before
    ("America/Havana", "2018-11-04", "2018-11-04T04:00:00Z"),  # midnight comes twice
    ("Europe/Berlin", "2018-03-25", "2018-03-24T23:00:00Z"),
    ("Europe/Berlin", "2018-03-26", "2018-03-25T22:00:00Z"),
    ("Europe/Berlin", "2018-10-29", "2018-10-28T23:00:00Z"),
    ("Asia/Kolkata", "2018-10-28", "2018-10-27T18:30:00Z"),
    ("Pacific/Apia", "2018-12-24", "2018-12-23T10:00:00Z"),
]


async def test_creative_day_of_clock_change_is_due_at_its_first_instant(
    serving_media: Callable[..., Any], clock: MovableClock
) -> None:
    start = datetime(2018, 1, 10, 12, tzinfo=UTC)
    async with serving_media() as present:
        back = (start - clock.now()).total_seconds()
        media = present.at(start)
        clock.advance(seconds=back)
        made = await media.upload(when="2018-06-01")
        for version, (zone, when, due) in enumerate(HISTORY, start=1):
            moved = await patch(media, made, f'"{version}"', scheduled_at=when, timezone=zone)
            assert (moved.status, moved.body.get("scheduled_at")) == (200, due), (zone, when)


async def test_creative_and_product_read_with_their_etag_are_304(media: MediaClient) -> None:
    creative = await media.upload()
    product = await create_product(media)
    for path in (f"/creatives/{creative['id']}", f"/products/{product['id']}"):
        for tags in ('"1"', 'W/"1"', '"1-gzip"', '"7", "1"', "*"):
            known = await media.call("GET", path, headers={"If-None-Match": tags})
            assert (known.status, known.headers["ETag"], known.body) == (304, '"1"', b""), tags
        for tags in ('"2"', '"x"', ""):
            sent = await media.call("GET", path, headers={"If-None-Match": tags})
            assert (sent.status, sent.body["version"]) == (200, 1), tags
    change = {"name": "Lantern"}
    headers = {"If-None-Match": '"2"'}
    changed = await media.call("PATCH", path, json=change, headers=headers)
    assert (changed.status, changed.body["version"]) == (200, 2)
    newer = await media.call("GET", path, headers={"If-None-Match": '"1"'})
    assert (newer.status, newer.body["name"]) == (200, "Lantern")
    hidden = await media.call("GET", f"/creatives/{uuid4()}", headers={"If-None-Match": "*"})
    assert hidden.status == 404


async def test_product_empty_member_is_absent_at_creation_and_refused_in_a_change(
    media: MediaClient,
) -> None:
    made = await media.call("POST", "/products", json=LAMP | {"visibility": "", "description": "A"})
    assert (made.status, made.body["visibility"]) == (201, "public")
    for json in (LAMP | {"name": ""}, LAMP | {"price": ""}):
        assert (await media.call("POST", "/products", json=json)).status == 422
    path = f"/products/{made.body['id']}"
    refused = await media.call("PATCH", path, json={"name": "", "currency": "", "price": 1})
    assert {error["field"] for error in refused.body["errors"]} == {"name", "currency"}
    cleared = await media.call("PATCH", path, json={"description": ""})
    assert (cleared.body["description"], cleared.body["version"]) == ("", 2)
