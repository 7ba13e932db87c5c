"""Creatives from upload to deletion, through the HTTP interface."""

import hashlib
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from tests.support.media_client import MediaClient, day, files_below, form, part, picture_form
from tests.support.pictures import encode
from tests.support.waiting import until


async def test_upload_created_creative_is_returned_and_stored(
    media: MediaClient, files: Path
) -> None:
    picture = encode("PNG", (40, 30))
    body = picture_form(picture, part("timezone", "Asia/Kolkata"), part("title", "  Diwali  "))
    answer = await media.send(body)
    assert answer.status == 201, answer.body
    created = answer.body
    expected = {
        "title": "Diwali",
        "content_type": "image/png",
        "bytes": len(picture),
        "width": 40,
        "height": 30,
        "sha256": hashlib.sha256(picture).hexdigest(),
        "placeholder": created["placeholder"],
        "scheduled_at": f"{day(199)}T18:30:00Z",
        "timezone": "Asia/Kolkata",
        "status": "scheduled",
        "published_at": None,
        "variants": ["original", "preview", "thumb"],
        "file_url": f"/v1/media/creatives/{created['id']}/file",
        "version": 1,
    }
    assert created == expected | {key: created[key] for key in ("id", "created_at", "updated_at")}
    assert UUID(created["id"]).version == 7
    assert answer.headers["Location"] == f"/v1/media/creatives/{created['id']}"
    place = files / "objects" / str(media.user_id) / created["id"]
    assert sorted(files_below(files)) == [place / name for name in ("original", "preview", "thumb")]
    assert (place / "original").read_bytes() == picture
    assert 20 <= len(created["placeholder"]) <= 30
    assert (await media.call("GET", f"/creatives/{created['id']}")).body == created


async def test_upload_every_format_is_served_unchanged(media: MediaClient) -> None:
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "AVIF"):
        picture = encode(kind)
        created = await media.upload(picture=picture)
        assert created["content_type"] == f"image/{kind.lower()}"
        file = await media.call("GET", f"/creatives/{created['id']}/file")
        assert file.status == 200
        assert hashlib.sha256(file.body).hexdigest() == created["sha256"]
        assert len(file.body) == created["bytes"]


async def test_upload_parts_in_any_order_with_exact_time_are_accepted(media: MediaClient) -> None:
    body = form(
        part("title", ""),
        part("scheduled_at", f"{day(50)}T00:00:00.5+05:30"),
        part("file", encode()),
    )
    answer = await media.send(body)
    assert answer.status == 201
    assert answer.body["scheduled_at"] == f"{day(49)}T18:30:00.500000Z"
    assert answer.body["title"] is None


async def test_creative_deleted_is_404_and_its_files_are_removed(
    media: MediaClient, files: Path
) -> None:
    path = f"/creatives/{(await media.upload())['id']}"
    gone = await media.call("DELETE", path)
    assert (gone.status, gone.body) == (204, b"")
    for method, what in (("GET", path), ("GET", f"{path}/file"), ("DELETE", path)):
        assert (await media.call(method, what)).code == "not_found"
    await until(lambda: not list((files / "objects").iterdir()))
    assert files_below(files) == []


async def test_creative_of_another_user_is_404(media: MediaClient) -> None:
    created = await media.upload()
    stranger = media.as_other_user()
    path = f"/creatives/{created['id']}"
    for method, what in (("GET", path), ("GET", f"{path}/file"), ("DELETE", path)):
        refused = await stranger.call(method, what)
        assert (refused.status, refused.code) == (404, "not_found")
    assert (await stranger.call("HEAD", f"{path}/file")).status == 404
    assert (await stranger.call("GET", "/creatives")).body["items"] == []
    today = created["scheduled_at"]
    assert today
    assert (await media.call("GET", path)).status == 200


async def test_creative_malformed_id_is_404(media: MediaClient) -> None:
    for name in ("x", "0", str(uuid4()), "%00", "..%2f..%2fetc"):
        assert (await media.call("GET", f"/creatives/{name}")).code == "not_found"


async def test_creatives_list_is_paged_by_due_time(media: MediaClient) -> None:
    made = [await media.upload(when=day(ahead)) for ahead in (30, 10, 20, 10, 40)]
    wanted = [c["id"] for c in sorted(made, key=lambda c: (c["scheduled_at"], c["id"]))]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    page: dict[str, Any] = {}
    for size in (2, 2, 1):
        page = (await media.call("GET", "/creatives", params=query)).body
        assert len(page["items"]) == size
        seen += [creative["id"] for creative in page["items"]]
        query["cursor"] = page["next_cursor"]
    assert seen == wanted
    assert page["next_cursor"] is None


async def test_creatives_list_filters_by_time_and_status(media: MediaClient) -> None:
    first, second, third = (day(ahead) for ahead in (10, 20, 30))
    for when in (first, second, third):
        await media.upload(when=when)

    async def days(**query: str) -> list[str]:
        page = (await media.call("GET", "/creatives", params=query)).body
        return [creative["scheduled_at"][:10] for creative in page["items"]]

    assert await days() == [first, second, third]
    assert await days(**{"from": second}) == [second, third]
    assert await days(to=second) == [first]
    assert await days(**{"from": f"{first}T00:00:01Z", "to": f"{third}T00:00:00Z"}) == [second]
    assert await days(status="scheduled") == [first, second, third]
    assert await days(status="published") == []


BAD_QUERIES: list[dict[str, str]] = [
    {"limit": "0"},
    {"limit": "201"},
    {"limit": "x"},
    {"cursor": "x"},
    {"cursor": "WyJ4IiwieSJd"},
    {"cursor": "W10"},
    {"from": "yesterday"},
    {"to": "2027-01-01T00:00:00"},
    {"status": "lost"},
    {"owner": "bob"},
    {"status": "\0"},
]


async def test_creatives_list_invalid_query_is_422(media: MediaClient) -> None:
    for query in BAD_QUERIES:
        refused = await media.call("GET", "/creatives", params=query)
        assert (refused.status, refused.code) == (422, "validation_failed")
        assert refused.body["errors"][0]["field"] == next(iter(query))


async def test_editor_with_owner_all_sees_every_users_creatives(media: MediaClient) -> None:
    first, last = await media.upload(when=day(10)), await media.upload(when=day(30))
    editor = media.as_other_user("editor")
    own = await editor.upload(when=day(20))
    everybody = {"owner": "all"}

    async def listed(**query: str) -> list[str]:
        answer = await editor.call("GET", "/creatives", params=query)
        return [creative["id"] for creative in answer.body["items"]]

    assert await listed() == await listed(owner="me") == [own["id"]]
    assert await listed(**everybody) == [first["id"], own["id"], last["id"]]
    assert await listed(**everybody, to=day(20)) == [first["id"]]
    assert await listed(**everybody, status="cancelled") == []
    page = (await editor.call("GET", "/creatives", params={**everybody, "limit": "2"})).body
    assert await listed(**everybody, cursor=page["next_cursor"]) == [last["id"]]
    path = f"/creatives/{first['id']}"
    assert (await editor.call("GET", path)).code == "not_found"
    assert (await editor.call("GET", path, params=everybody)).body == first
    assert (await editor.call("GET", f"{path}/file")).code == "not_found"
    assert (await editor.call("GET", f"{path}/file", params=everybody)).status == 200
    assert (await editor.call("HEAD", f"{path}/file", params=everybody)).status == 200
    assert (await editor.call("DELETE", path)).code == "not_found"


async def test_owner_all_without_editor_role_is_403(media: MediaClient) -> None:
    path = f"/creatives/{(await media.upload())['id']}"
    for caller in (media, media.as_other_user("admin"), media.as_other_user("EDITOR", "editors")):
        for what in ("/creatives", path, f"{path}/file"):
            refused = await caller.call("GET", what, params={"owner": "all"})
            assert (refused.status, refused.code) == (403, "forbidden")


async def fields_refused(media: MediaClient, *parts: bytes) -> dict[str, str]:
    refused = await media.send(form(*parts))
    assert (refused.status, refused.code) == (422, "validation_failed"), refused.body
    return {error["field"]: error["code"] for error in refused.body["errors"]}


async def test_upload_invalid_fields_are_422_and_keep_nothing(
    media: MediaClient, files: Path
) -> None:
    picture, when = part("file", encode()), part("scheduled_at", day())
    cases: list[tuple[set[str], list[bytes]]] = [
        ({"file", "scheduled_at"}, []),
        ({"file"}, [when]),
        ({"scheduled_at"}, [picture]),
        ({"scheduled_at"}, [picture, part("scheduled_at", f"{day()}T10:00:00 05:30")]),
        ({"scheduled_at"}, [picture, part("scheduled_at", "")]),
        ({"scheduled_at"}, [picture, part("scheduled_at", f"{day()}\0")]),
        ({"scheduled_at"}, [picture, part("scheduled_at", "9999-01-01")]),
        ({"timezone"}, [picture, when, part("timezone", "Mars/Olympus")]),
        ({"timezone"}, [picture, when, part("timezone", "../../etc/passwd")]),
        ({"timezone"}, [picture, when, part("timezone", "UTC\0")]),
        ({"timezone", "scheduled_at"}, [picture, part("timezone", "Mars/Olympus")]),
        ({"title"}, [picture, when, part("title", "x" * 201)]),
        ({"title"}, [picture, when, part("title", "a\0b")]),
        ({"title"}, [picture, when, part("title", b"\xff\xfe")]),
        ({"title"}, [picture, when, part("title", "x" * 5000)]),
        ({"colour"}, [picture, when, part("colour", "red")]),
        ({"_charset_"}, [part("_charset_", "utf-16"), picture, when]),
        ({"file"}, [picture, picture, when]),
        ({"colour", "title", "file", "scheduled_at"}, [part("colour", ""), part("title", b"\xff")]),
        ({"scheduled_at"}, [picture, when, when]),
    ]
    for fields, parts in cases:
        assert set(await fields_refused(media, *parts)) == fields
    assert files_below(files) == []


async def test_upload_title_of_any_unicode_text_is_kept(media: MediaClient) -> None:
    title = "Řeka 🎉 'quotes' \"and\" <b>; drop table creatives; -- " + "é" * 140
    created = await media.upload(part("title", title))
    assert created["title"] == title
    today = (await media.call("GET", f"/creatives/{created['id']}")).body
    assert today["title"] == title


async def test_upload_past_time_is_scheduled_in_past(media: MediaClient) -> None:
    past = await media.send(picture_form(when=day(-1)))
    assert (past.status, past.code) == (422, "scheduled_in_past")
    assert (await media.send(picture_form(when="2020-01-01T00:00:00Z"))).code == "scheduled_in_past"
