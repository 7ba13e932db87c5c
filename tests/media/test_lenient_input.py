"""Names, forms, links and times, taken as users and their programs send them."""

import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from io import BytesIO
from typing import Any

import pytest
import tzdata

from media_service.creative.timezones import TimezoneRegistry
from tests.support.auth_client import Answer
from tests.support.clock import MovableClock
from tests.support.media_client import FORM, MEDIA, MediaClient, day, form, part, picture_form
from tests.support.names import NAMES
from tests.support.pictures import encode
from tests.support.products import create_product, search_names

LAMP = (part("name", "Lamp"), part("price", "4999"), part("currency", "EUR"))
EMPTY_INPUT = part("photo", b"", '; filename=""', b"Content-Type: application/octet-stream\r\n")
FOREIGN = "fbclid=IwAR2&utm_source=a&utm_source=b&_=1764500000&v=2&gclid=%00"


async def offer(media: MediaClient, *parts: bytes) -> Answer:
    return await media.call("POST", "/products", data=BytesIO(form(*parts)), headers=FORM)


async def fetch(media: MediaClient, url: str) -> tuple[int, bytes]:
    """Ask without any token."""
    async with media.http.get(url) as answer:
        return answer.status, await answer.read()


async def test_product_name_and_text_of_any_script_are_stored_unchanged(media: MediaClient) -> None:
    for name in NAMES:
        text = f"{name}\n\n\t{name}"
        made = await create_product(media, name=f" {name}\n", description=f"{text} ")
        assert (made["name"], made["description"]) == (name, text)
    assert sorted(await search_names(media)) == sorted(NAMES)


async def test_creative_title_of_any_script_is_stored_unchanged(media: MediaClient) -> None:
    made = await media.upload(part("title", f"{NAMES[1]} "))
    assert made["title"] == NAMES[1]
    for version, name in enumerate(NAMES, start=1):
        changed = await media.call(
            "PATCH",
            f"/creatives/{made['id']}",
            json={"title": f"\u3000{name}"},
            headers={"If-Match": str(version)},
        )
        assert changed.body["title"] == name
    for blank in ("", "\u200c\u00a0"):
        assert (await media.upload(part("title", blank)))["title"] is None


@pytest.mark.parametrize("char", ["\x1f", "\x85", "\u2028", "\u202e", "\u2066"], ids=ascii)
async def test_title_and_product_name_with_control_characters_are_422(
    media: MediaClient, char: str
) -> None:
    title = await media.send(picture_form(None, part("title", f"a{char}b")))
    name = await offer(media, part("name", f"a{char}b"), *LAMP[1:])
    wrong = [answer.body["errors"][0]["field"] for answer in (title, name)]
    assert wrong == ["title", "name"]


async def test_photo_empty_file_input_counts_as_no_photo(media: MediaClient) -> None:
    for empty in (EMPTY_INPUT, part("photo", b"")):
        for parts in ((*LAMP, empty), (empty, *LAMP)):
            made = await offer(media, *parts)
            assert (made.status, made.body["photo_url"]) == (HTTPStatus.CREATED, None)
    named = await offer(media, *LAMP, part("photo", b"", '; filename="lamp.png"'))
    assert named.code == "unsupported_image"


async def test_photo_with_bytes_but_no_name_is_a_photo(media: MediaClient) -> None:
    for more in ('; filename=""', ""):
        nameless = part("photo", encode(), more)
        made = await offer(media, *LAMP, nameless)
        path = f"/products/{made.body['id']}/photo"
        assert made.body["photo_url"] == f"{MEDIA}{path}"
        put = await media.call("PUT", path, data=BytesIO(form(nameless)), headers=FORM)
        assert put.status == HTTPStatus.OK, put.body
        file = await media.call("HEAD", path)
        assert 'filename="image.jpg"' in file.headers["Content-Disposition"]
    text = await offer(media, *LAMP, part("photo", "photo.jpg", '; filename=""'))
    assert text.code == "unsupported_image"


async def test_form_empty_optional_fields_count_as_left_out(media: MediaClient) -> None:
    blank = [part(name, "") for name in ("description", "visibility")]
    made = await offer(media, *LAMP, *blank)
    assert made.status == HTTPStatus.CREATED, made.body
    assert (made.body["description"], made.body["visibility"]) == ("", "public")
    creative = await media.upload(part("title", ""), part("timezone", ""))
    assert (creative["title"], creative["timezone"]) == (None, "UTC")
    unknown = await media.send(picture_form(None, part("visibility", "")))
    assert [error["code"] for error in unknown.body["errors"]] == ["unknown"]


async def test_upload_empty_file_input_is_missing(media: MediaClient) -> None:
    file = part("file", b"", '; filename=""')
    refused = await media.send(form(file, part("scheduled_at", day())))
    assert [(error["field"], error["code"]) for error in refused.body["errors"]] == [
        ("file", "missing")
    ]


async def test_upload_path_instead_of_file_explains_the_likely_cause(
    media: MediaClient,
) -> None:
    refused = await media.send(form(part("file", "photo.jpg"), part("scheduled_at", day())))
    assert refused.body["errors"] == [
        {"field": "file", "code": "not_a_file", "message": "no file name: did you forget the @?"}
    ]
    for kind in ("JPEG", "PNG", "GIF", "WEBP"):  # a picture needs no name
        nameless = form(part("file", encode(kind)), part("scheduled_at", day()))
        assert (await media.send(nameless)).status == HTTPStatus.CREATED


async def test_shared_link_with_foreign_parameters_is_served(media: MediaClient) -> None:
    creative = await media.upload()
    link = await media.call("POST", f"/creatives/{creative['id']}/link", json={"expires_in": 60})
    url = link.body["url"]
    assert (await fetch(media, f"{url}&{FOREIGN}"))[0] == HTTPStatus.OK
    signature = url.partition("signature=")[2]
    forged = url.replace(signature, signature[::-1])
    assert (await fetch(media, f"{forged}&{FOREIGN}"))[0] == HTTPStatus.FORBIDDEN
    product = (await offer(media, *LAMP, part("photo", encode(), '; filename="a.png"'))).body
    assert (await fetch(media, f"{product['photo_url']}?{FOREIGN}"))[0] == HTTPStatus.OK
    listed = await fetch(media, f"{MEDIA}/products/public?q=lamp&{FOREIGN}")
    assert (listed[0], product["id"].encode() in listed[1]) == (HTTPStatus.OK, True)
    own = await media.call("GET", f"/products/{product['id']}?{FOREIGN}")
    assert own.status == HTTPStatus.OK


async def test_list_query_misspelt_parameter_names_the_nearest(
    media: MediaClient,
) -> None:
    for query, meant in (("stauts=published", "status"), ("Limit=5", "limit"), ("form=x", "from")):
        refused = await media.call("GET", f"/creatives?{query}")
        (error,) = refused.body["errors"]
        assert error["message"].startswith(f"no such field; did you mean {meant}? there are: ")


@pytest.mark.parametrize("query", ["q=", "q=%20%20", "q=%C2%A0%E2%80%8C", "q=&cursor="])
async def test_product_search_blank_lists_all(media: MediaClient, query: str) -> None:
    await create_product(media, name="Lamp")
    status, body = await fetch(media, f"{MEDIA}/products/public?{query}")
    assert (status, b"Lamp" in body) == (HTTPStatus.OK, True)


async def test_schedule_time_without_offset_is_local_to_its_timezone(media: MediaClient) -> None:
    made = await media.upload(part("timezone", "Asia/Kolkata"), when=f"{day()}T10:00")
    assert made["scheduled_at"] == f"{day()}T04:30:00Z"
    for version, (written, expected) in enumerate(
        {
            f"{day(30)}T20:00": f"{day(30)}T14:30:00Z",
            f"{day(30)}T20:00:00+0200": f"{day(30)}T18:00:00Z",
            f"{day(30)}T20:00Z": f"{day(30)}T20:00:00Z",
        }.items(),
        start=1,
    ):
        moved = await media.call(
            "PATCH",
            f"/creatives/{made['id']}",
            json={"scheduled_at": written},
            headers={"If-Match": str(version)},
        )
        assert moved.body["scheduled_at"] == expected, written


async def test_schedule_time_now_or_just_past_is_now(
    media: MediaClient, clock: MovableClock
) -> None:
    just_passed = (clock.now() - timedelta(seconds=50)).isoformat()
    for when in ("now", just_passed):
        before = clock.now()
        due = datetime.fromisoformat((await media.upload(when=when))["scheduled_at"])
        assert before <= due <= clock.now()
    over = await media.send(picture_form(when=(clock.now() - timedelta(seconds=70)).isoformat()))
    assert over.code == "scheduled_in_past"


async def test_list_query_with_unescaped_plus_is_understood(media: MediaClient) -> None:
    made = await media.upload(when=f"{day(20)}T12:00:00Z")
    for query, count in {
        f"from={day(20)}T17:30:00+05:30": 1,
        f"from={day(20)}T17:30:01+0530": 0,
        f"from={day(20)} 12:00Z&to={day(20)} 14:01 02": 1,
    }.items():
        listed = await media.call("GET", f"/creatives?{query}")
        assert [item["id"] for item in listed.body["items"]] == [made["id"]] * count, query
    zone = await media.call("GET", "/scheduled?timezone=Etc/GMT+5")
    assert zone.status == HTTPStatus.OK


async def test_timezones_are_those_of_the_pinned_data(media: MediaClient) -> None:
    answer = await media.call("GET", "/timezones")
    assert answer.body["version"] == tzdata.IANA_VERSION
    assert re.fullmatch("20[0-9]{2}[a-z]", answer.body["version"])
    names = answer.body["timezones"]
    assert names == sorted(names)
    assert {"Asia/Kolkata", "America/Vancouver", "Etc/GMT+5", "UTC"} <= set(names)
    for name in ("localtime", "Factory", "posixrules", "posix/UTC", "../zones", "Asia"):
        assert name not in names
        refused: Any = await media.send(picture_form(None, part("timezone", name)))
        assert [error["code"] for error in refused.body["errors"]] == ["zone_unknown"], name


async def test_timezone_in_any_case_is_taken_as_its_own_name(media: MediaClient) -> None:
    made: dict[str, Any] = {}
    for name in ("asia/kolkata", "ASIA/KOLKATA", " Asia/Kolkata "):
        made = await media.upload(part("timezone", name), when=f"{day()}T10:00")
        assert (made["timezone"], made["scheduled_at"]) == ("Asia/Kolkata", f"{day()}T04:30:00Z")
    changed = await media.call(
        "PATCH",
        f"/creatives/{made['id']}",
        json={"timezone": "asia/kathmandu\t"},
        headers={"If-Match": "1"},
    )
    assert changed.body["timezone"] == "Asia/Kathmandu"
    for query in ("asia/kolkata", "+Asia/Kolkata%20", "etc/gmt+5", "utc"):
        zone = await media.call("GET", f"/scheduled?timezone={query}")
        assert zone.status == HTTPStatus.OK, query


async def test_timezone_misspelt_names_the_nearest(media: MediaClient) -> None:
    for name, meant in (
        ("Asia/Kolkatta", "Asia/Kolkata"),
        ("america/new york", "America/New_York"),
    ):
        refused = await media.call("GET", "/scheduled", params={"timezone": name})
        (error,) = refused.body["errors"]
        assert error["message"] == f"not an IANA zone name; did you mean {meant}?"
    refused = await media.call("GET", "/scheduled", params={"timezone": "Mars/Olympus"})
    assert refused.body["errors"][0]["message"] == "not an IANA zone name"


async def test_timezones_are_read_without_system_files(monkeypatch: pytest.MonkeyPatch) -> None:
    timezones = TimezoneRegistry()
    monkeypatch.setattr("zoneinfo.TZPATH", ())
    await timezones.load_names()
    vancouver = await timezones.require("America/Vancouver")
    winter = datetime(2026, 12, 24, 12, tzinfo=UTC).astimezone(vancouver)
    assert winter.utcoffset() == timedelta(hours=-7)  # since 2026 clocks stay on summer time
    assert str(vancouver) == "America/Vancouver"
