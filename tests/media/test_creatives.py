"""Creatives from upload to deletion, through the HTTP interface."""

import asyncio
import contextlib
import hashlib
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from blockbuster import blockbuster_ctx

from tests.support.media import MediaClient, day, form, left_over, part, picture_form, until
from tests.support.pictures import encode


async def test_an_upload_is_answered_whole(media: MediaClient, files: Path) -> None:
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
        "placeholder": None,
        "scheduled_at": f"{day(199)}T18:30:00Z",
        "timezone": "Asia/Kolkata",
        "status": "scheduled",
        "variants": ["original"],
        "file_url": f"/v1/media/creatives/{created['id']}/file",
        "version": 1,
    }
    assert created == expected | {key: created[key] for key in ("id", "created_at", "updated_at")}
    assert UUID(created["id"]).version == 7
    assert answer.headers["Location"] == f"/v1/media/creatives/{created['id']}"
    assert left_over(files) == [files / "objects" / str(media.user_id) / created["id"] / "original"]
    assert left_over(files)[0].read_bytes() == picture
    assert (await media.call("GET", f"/creatives/{created['id']}")).body == created


async def test_every_format_and_its_bytes_come_back(media: MediaClient) -> None:
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "AVIF"):
        picture = encode(kind)
        created = await media.upload(picture=picture)
        assert created["content_type"] == f"image/{kind.lower()}"
        file = await media.call("GET", f"/creatives/{created['id']}/file")
        assert (file.status, file.body) == (200, picture)


async def test_parts_come_in_any_order_and_a_time_is_a_time(media: MediaClient) -> None:
    body = form(
        part("title", ""),
        part("scheduled_at", f"{day(50)}T00:00:00.5+05:30"),
        part("file", encode()),
    )
    answer = await media.send(body)
    assert answer.status == 201
    assert answer.body["scheduled_at"] == f"{day(49)}T18:30:00.500000Z"
    assert answer.body["title"] is None


async def test_a_deleted_creative_is_gone_with_its_file(media: MediaClient, files: Path) -> None:
    path = f"/creatives/{(await media.upload())['id']}"
    gone = await media.call("DELETE", path)
    assert (gone.status, gone.body) == (204, b"")
    for method, what in (("GET", path), ("GET", f"{path}/file"), ("DELETE", path)):
        assert (await media.call(method, what)).code == "not_found"
    assert left_over(files) == []
    assert list((files / "objects").iterdir()) == []


async def test_somebody_elses_creative_does_not_exist(media: MediaClient) -> None:
    created = await media.upload()
    stranger = media.somebody_else()
    path = f"/creatives/{created['id']}"
    for method, what in (("GET", path), ("GET", f"{path}/file"), ("DELETE", path)):
        refused = await stranger.call(method, what)
        assert (refused.status, refused.code) == (404, "not_found")
    assert (await stranger.call("HEAD", f"{path}/file")).status == 404
    assert (await stranger.call("GET", "/creatives")).body["items"] == []
    today = created["scheduled_at"]
    assert today
    assert (await media.call("GET", path)).status == 200


async def test_what_is_no_creative_is_not_found(media: MediaClient) -> None:
    for name in ("x", "0", str(uuid4()), "%00", "..%2f..%2fetc"):
        assert (await media.call("GET", f"/creatives/{name}")).code == "not_found"


async def test_lists_are_paged_by_due_time(media: MediaClient) -> None:
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


async def test_lists_are_filtered(media: MediaClient) -> None:
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
    {"owner": "all"},
    {"status": "\0"},
]


async def test_bad_queries_are_refused(media: MediaClient) -> None:
    for query in BAD_QUERIES:
        refused = await media.call("GET", "/creatives", params=query)
        assert (refused.status, refused.code) == (422, "validation_failed")
        assert refused.body["errors"][0]["field"] == next(iter(query))


async def fields_refused(media: MediaClient, *parts: bytes) -> dict[str, str]:
    refused = await media.send(form(*parts))
    assert (refused.status, refused.code) == (422, "validation_failed"), refused.body
    return {error["field"]: error["code"] for error in refused.body["errors"]}


async def test_fields_are_checked(media: MediaClient, files: Path) -> None:
    picture, when = part("file", encode()), part("scheduled_at", day())
    cases: list[tuple[set[str], list[bytes]]] = [
        ({"file", "scheduled_at"}, []),
        ({"file"}, [when]),
        ({"scheduled_at"}, [picture]),
        ({"scheduled_at"}, [picture, part("scheduled_at", f"{day()}T10:00:00")]),
        ({"scheduled_at"}, [picture, part("scheduled_at", "")]),
        ({"scheduled_at"}, [picture, part("scheduled_at", f"{day()}\0")]),
        ({"scheduled_at"}, [picture, part("scheduled_at", "9999-01-01")]),
        ({"timezone"}, [picture, when, part("timezone", "Mars/Olympus")]),
        ({"timezone"}, [picture, when, part("timezone", "../../etc/passwd")]),
        ({"timezone"}, [picture, when, part("timezone", "UTC\0")]),
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
    assert left_over(files) == []


async def test_a_title_may_be_any_text(media: MediaClient) -> None:
    title = "Řeka 🎉 'quotes' \"and\" <b>; drop table creatives; -- " + "é" * 140
    created = await media.upload(part("title", title))
    assert created["title"] == title
    today = (await media.call("GET", f"/creatives/{created['id']}")).body
    assert today["title"] == title


async def test_yesterday_is_over_and_the_far_future_too_far(media: MediaClient) -> None:
    past = await media.send(picture_form(when=day(-1)))
    assert (past.status, past.code) == (422, "scheduled_in_past")
    assert (await media.send(picture_form(when="2020-01-01T00:00:00Z"))).code == "scheduled_in_past"


async def test_files_answer_conditions_and_ranges(media: MediaClient) -> None:
    picture = encode("PNG", (90, 90))
    created = await media.upload(picture=picture)
    path, etag = f"/creatives/{created['id']}/file", f'"{created["sha256"]}"'

    async def ask(method: str = "GET", **headers: str) -> Any:
        return await media.call(
            method, path, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    whole = await ask()
    assert whole.headers["ETag"] == etag
    assert whole.headers["Content-Type"] == "image/png"
    assert whole.headers["Content-Length"] == str(len(picture))
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["Content-Security-Policy"] == "sandbox"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Cache-Control"] == "private, no-cache"
    assert "Authorization" in whole.headers["Vary"]
    known = await ask(If_None_Match=etag)
    assert (known.status, known.body, known.headers["ETag"]) == (304, b"", etag)
    assert (await ask(If_None_Match='"other"')).status == 200
    some = await ask(Range="bytes=10-19")
    assert (some.status, some.body) == (206, picture[10:20])
    assert some.headers["Content-Range"] == f"bytes 10-19/{len(picture)}"
    assert (await ask(Range="bytes=-5")).body == picture[-5:]
    assert (await ask(Range="bytes=10-19", If_Range='"other"')).body == picture
    beyond = await ask(Range=f"bytes={len(picture)}-")
    assert (beyond.status, beyond.code) == (416, "range_not_satisfiable")
    assert beyond.headers["Content-Range"] == f"bytes */{len(picture)}"
    head = await ask("HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(picture))
    assert head.headers["ETag"] == etag
    assert (await ask("HEAD", If_None_Match=etag)).status == 304


async def test_only_known_variants_exist(media: MediaClient) -> None:
    path = f"/creatives/{(await media.upload())['id']}/file"
    assert (await media.call("GET", path, params={"variant": "original"})).status == 200
    for wrong in ("thumb", "../original", ""):
        refused = await media.call("GET", path, params={"variant": wrong})
        assert (refused.status, refused.code) == (422, "validation_failed")


async def test_a_large_file_arrives_whole_in_parts(media: MediaClient) -> None:
    picture = encode("PNG", (900, 900)) + b"\0" * 3_000_000
    created = await media.upload(picture=picture)
    path = f"/creatives/{created['id']}/file"
    half = len(picture) // 2
    first = await media.call("GET", path, headers={"Range": f"bytes=0-{half - 1}"})
    second = await media.call("GET", path, headers={"Range": f"bytes={half}-"})
    assert first.body + second.body == picture


async def test_a_lost_file_is_reported_and_not_found(
    media: MediaClient, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    created = await media.upload()
    left_over(files)[0].unlink()
    lost = await media.call("GET", f"/creatives/{created['id']}/file")
    assert lost.code == "not_found"
    assert "file.missing" in capsys.readouterr().out
    assert (await media.call("DELETE", f"/creatives/{created['id']}")).status == 204


async def large_file(media: MediaClient) -> bytes:
    """Upload 9 MB and return a request for it, which no socket's buffers can swallow."""
    created = await media.upload(picture=encode("PNG") + bytes(9_000_000))
    head = f"GET {created['file_url']} HTTP/1.1\r\nHost: localhost\r\n"
    return f"{head}Authorization: Bearer {media.token}\r\n\r\n".encode()


async def test_a_reader_that_goes_away_harms_nobody(
    media: MediaClient, capsys: pytest.CaptureFixture[str]
) -> None:
    request = await large_file(media)
    reader, writer = await asyncio.open_connection(*media.address)
    writer.write(request)
    assert await reader.readexactly(10) == b"HTTP/1.1 2"
    writer.transport.abort()
    async with asyncio.timeout(5):
        await until(lambda: "file.sending_ended_early" in capsys.readouterr().out)
    assert (await media.call("GET", "/creatives")).status == 200


async def test_a_reader_that_takes_nothing_is_cut_off(
    media: MediaClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("media_service.creative.sending.WRITE_SECONDS", 0.2)
    request = await large_file(media)
    loop, received = asyncio.get_running_loop(), 0
    with socket.create_connection(media.address) as connection:
        connection.setblocking(False)
        await loop.sock_sendall(connection, request)
        async with asyncio.timeout(5):
            await until(lambda: "file.sending_ended_early" in capsys.readouterr().out)
            with contextlib.suppress(ConnectionResetError):
                while chunk := await loop.sock_recv(connection, 1 << 20):
                    received += len(chunk)
    assert received < 9_000_000


async def test_a_file_that_cannot_be_removed_is_left_to_the_sweeper(
    media: MediaClient,
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = f"/creatives/{(await media.upload())['id']}"

    def refuse(_path: Path) -> bool:
        raise PermissionError

    monkeypatch.setattr("media_service.storage.local._remove", refuse)
    assert (await media.call("DELETE", path)).status == 204
    assert "file.removal_failed" in capsys.readouterr().out
    assert (await media.call("GET", path)).status == 404
    assert len(left_over(files)) == 1


async def test_the_loop_is_never_blocked(serving_media: Callable[..., Any]) -> None:
    with blockbuster_ctx("media_service"):
        async with serving_media() as media:
            created = await media.upload(part("timezone", "Asia/Kolkata"))
            path = f"/creatives/{created['id']}"
            assert (await media.call("GET", f"{path}/file")).status == 200
            assert (await media.call("GET", "/scheduled?timezone=Europe/Oslo")).status == 200
            assert (await media.call("GET", "/creatives")).status == 200
            assert (await media.call("DELETE", path)).status == 204
