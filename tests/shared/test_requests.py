"""Each fault of a request's body or query gets its own 4xx, which quotes nothing of it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog

from tests.support.auth_client import Answer
from tests.support.raw_http import SmallService

MARK = "zebra"  # stands in what is sent, and must not come back
GOOD = {"name": "a thing"}


def check(answer: Answer, status: int, code: str) -> None:
    assert answer.status == status, answer.body
    assert answer.code == code
    assert answer.body["type"] == f"/v1/small/docs#{code}"
    assert answer.body["title"]
    assert answer.body["detail"]
    assert answer.body["request_id"] == answer.headers["X-Request-ID"]
    assert MARK not in json.dumps(answer.body)
    assert MARK not in str(answer.headers)


async def test_json_body_valid_is_accepted(small: SmallService) -> None:
    answer = await small.post(json.dumps(GOOD).encode())
    assert answer.status == 201
    assert answer.body == {"name": "a thing", "count": 1, "weight": 0, "parts": []}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", "line 1, column 1"),
        (b"{", "line 1, column 2"),
        (b'{"name": zebra}', "line 1, column 10"),
        (b'{\n"name": "zebra",\n}', "line 3, column 1"),
        (b'{"name": "zebra"} zebra', "line 1, column 19"),
        (b'{"name": "zebra\n"}', "line 1, column 16"),
        (b'{"name": "zebra\0"}', "line 1, column 16"),
        (b"{'name': 'zebra'}", "line 1, column 2"),
        (b'\xef\xbb\xbf\xef\xbb\xbf{"name": "zebra"}', "line 1, column 1"),
        (b'{"name": "zebra\xff"}', "byte 15"),
        (b'{"name": "zebra\xed\xa0\x80"}', "byte 15"),
        ('{"name": "zebra"}'.encode("utf-16"), "byte 0"),
    ],
)
async def test_json_body_malformed_is_refused_with_its_position(
    small: SmallService, body: bytes, place: str
) -> None:
    answer = await small.post(body)
    check(answer, 400, "malformed_json")
    assert place in answer.body["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "a", "name": "zebra"}',
        b'{"name": "a", "parts": [{"zebra": 1, "zebra": 2}]}',
        b'{"name": "zebra\\u0000"}',
        b'{"name": "zebra\\ud800"}',
        b'{"name": "\\udc00\\ud800zebra"}',
        b'{"name": "a", "parts": ["b", "zebra\\u0000"]}',
        b'{"name": "a", "zebra\\u0000": 1}',
        b'{"name": "a", "weight": NaN}',
        b'{"name": "a", "weight": 1e999}',
        b'{"name": "a", "weight": -1e999}',
        b'{"name": "a", "weight": Infinity}',
        b'{"name": "a", "weight": -Infinity}',
        b'{"name": "a", "count": ' + b"9" * 5000 + b"}",
        b'{"name": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b'{"a":' * 9_000 + b"1" + b"}" * 9_000,
    ],
    ids=lambda body: ascii(body[:40]),
)
async def test_json_body_ambiguous_is_refused(small: SmallService, body: bytes) -> None:
    check(await small.post(body), 400, "malformed_json")


@pytest.mark.parametrize("depth", [100, 400, 900, 990])
@pytest.mark.parametrize("inside", [b'"\\u0061"', b'"zebra\\u0000"', b"1"])
async def test_json_body_deeply_nested_is_refused(
    small: SmallService, depth: int, inside: bytes
) -> None:
    answer = await small.post(b'{"name": ' + b"[" * depth + inside + b"]" * depth + b"}")
    assert answer.status in {400, 422}
    check(answer, answer.status, answer.code)


async def test_json_body_surrogate_pair_is_one_character(small: SmallService) -> None:
    answer = await small.post(b'{"name": "\\ud83d\\ude00"}')
    assert answer.body["name"] == "\U0001f600"


@pytest.mark.parametrize(("number", "count"), [(b"120.0", 120), (b"1.2e2", 120), (b"-0.0", 0)])
async def test_json_number_without_fraction_is_a_whole_one(
    small: SmallService, number: bytes, count: int
) -> None:
    answer = await small.post(b'{"name": "a", "count": ' + number + b"}")
    assert (answer.status, answer.body["count"]) == (201, count)


def fields(answer: Answer) -> dict[str, str]:
    return {error["field"]: error["code"] for error in answer.body["errors"]}


async def test_json_body_reports_every_invalid_field_at_once(small: SmallService) -> None:
    wrong: dict[str, Any] = {"count": MARK, "weight": [MARK], "parts": ["a", 1, None], "more": MARK}
    answer = await small.post(json.dumps(wrong).encode())
    check(answer, 422, "validation_failed")
    assert fields(answer) == {
        "name": "missing",
        "count": "int_type",
        "weight": "float_type",
        "parts.1": "string_type",
        "parts.2": "string_type",
        "more": "extra_forbidden",
    }
    messages = {error["field"]: error["message"] for error in answer.body["errors"]}
    assert messages["name"] == "required"
    assert messages["count"] == "expected a whole number"
    assert messages["parts.1"] == "expected a string"
    assert messages["more"] == "no such field; there are: name, count, weight, parts"
    assert all(messages.values())


@pytest.mark.parametrize("body", [b"null", b"[]", b"1", b'"zebra"', b"true", b'[{"name": "a"}]'])
async def test_json_body_that_is_no_object_is_422(small: SmallService, body: bytes) -> None:
    answer = await small.post(body)
    check(answer, 422, "validation_failed")
    assert list(fields(answer)) == ["body"]


@pytest.mark.parametrize(
    "change",
    [
        {"count": "1"},
        {"count": True},
        {"count": 1.5},
        {"count": -1},
        {"count": 10**18},
        {"weight": "1"},
        {"name": None},
        {"name": 1},
        {"name": MARK * 5},
        {"parts": "zebra"},
    ],
    ids=str,
)
async def test_json_body_wrong_type_or_range_is_422(
    small: SmallService, change: dict[str, Any]
) -> None:
    answer = await small.post(json.dumps(GOOD | change).encode())
    check(answer, 422, "validation_failed")
    assert list(fields(answer)) == list(change)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=zebra"},
        {"Content-Type": "application/zebra+json"},
        {"Content-Type": "zebra"},
        {"Content-Type": ""},
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "zebra"},
    ],
    ids=str,
)
async def test_json_body_other_content_type_or_encoding_is_415(
    small: SmallService, headers: dict[str, str]
) -> None:
    answer = await small.post(b"zebra" * 10, **headers)
    if headers.get("Content-Encoding") == "gzip":  # the parser sees first that it is none
        assert answer.status in {400, 415}
        check(answer, answer.status, answer.code)
    else:
        check(answer, 415, "unsupported_media_type")
        named = "Content-Encoding" if "Content-Encoding" in headers else "Content-Type: application"
        assert named in answer.body["detail"]
        taken = "identity" if "Content-Encoding" in headers else None
        assert answer.headers.get("Accept-Encoding") == taken


async def test_json_body_with_charset_is_accepted(small: SmallService) -> None:
    type_ = "application/json; charset=utf-8"
    assert (await small.post(b'{"name": "a"}', **{"Content-Type": type_})).status == 201


def padded(size: int) -> bytes:
    text = b'{"name": "a"}'
    return text + b" " * (size - len(text))


async def test_json_body_above_64_kib_is_413(small: SmallService) -> None:
    assert (await small.post(padded(65536))).status == 201
    check(await small.post(padded(65537)), 413, "body_too_large")


async def test_json_body_announced_too_large_is_413_unread(small: SmallService) -> None:
    head = b"POST /v1/small/things HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
    answer = await small.one(head + b"Connection: close\r\nContent-Length: 65537\r\n\r\n")
    check(answer, 413, "body_too_large")
    assert answer.body["detail"].endswith("has at most 65.5 kB, and this one has 65.6 kB")


@pytest.mark.parametrize("size", [65536, 65537])
async def test_json_body_chunked_too_large_is_413(small: SmallService, size: int) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, size, 5000):
            yield padded(size)[start : start + 5000]

    headers = {"Content-Type": "application/json"}
    answer = await small.call("POST", "/things", data=chunks(), headers=headers)
    if size == 65536:
        assert answer.status == 201
    else:
        check(answer, 413, "body_too_large")


async def test_json_body_with_byte_order_mark_is_accepted(small: SmallService) -> None:
    answer = await small.post(b'\xef\xbb\xbf{"name": "a thing"}')
    assert (answer.status, answer.body["name"]) == (201, "a thing")


@pytest.mark.parametrize(
    "body", [None, b"", b"{}", b"null", b" null\n", b"\xef\xbb\xbfnull", b" \n"]
)
async def test_json_body_optional_and_absent_is_accepted(
    small: SmallService, body: bytes | None
) -> None:
    headers = {"Content-Type": "application/json"} if body else {}
    answer = await small.call("POST", "/maybe", data=body, headers=headers)
    assert (answer.status, answer.body) == (200, {})


async def test_json_body_optional_in_no_chunks_is_absent(small: SmallService) -> None:
    """Dart's clients send this with every POST without data."""
    head = b"POST /v1/small/maybe HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
    answer = await small.one(head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    assert (answer.status, answer.body) == (200, {})


@pytest.mark.parametrize("kind", ["Content-Type: application/json\r\n", ""])
async def test_json_body_optional_in_chunks_is_checked(small: SmallService, kind: str) -> None:
    head = f"POST /v1/small/maybe HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{kind}".encode()
    body = b'Transfer-Encoding: chunked\r\n\r\nc\r\n{"zebra": 1}\r\n0\r\n\r\n'
    assert (await small.one(head + body)).status == (422 if kind else 415)


async def test_json_body_null_of_optional_member_is_absence(small: SmallService) -> None:
    answer = await small.post(b'{"name": "a", "count": null, "parts": null}')
    assert (answer.status, answer.body["count"], answer.body["parts"]) == (201, 1, [])
    refused = await small.post(b'{"name": null, "zebra": null}')
    assert {error["field"] for error in refused.body["errors"]} == {"name", "zebra"}


@pytest.mark.parametrize("coding", ["identity", "Identity", ""])
async def test_json_body_with_identity_encoding_is_accepted(
    small: SmallService, coding: str
) -> None:
    assert (await small.post(b'{"name": "a"}', **{"Content-Encoding": coding})).status == 201


@pytest.mark.parametrize(
    ("body", "status"), [(b"[]", 422), (b'{"zebra": 1}', 422), (b"zebra", 400)]
)
async def test_json_body_optional_and_invalid_is_refused(
    small: SmallService, body: bytes, status: int
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await small.call("POST", "/maybe", data=body, headers=headers)
    assert answer.status == status


async def test_refusals_are_logged_without_client_text(
    small: SmallService, caplog: pytest.LogCaptureFixture
) -> None:
    with structlog.testing.capture_logs() as logs:
        await small.post(b'{"name": zebra}')
        await small.post(b'{"zebra": "zebra"}')
        await small.call("GET", "/things?zebra=zebra")
        await small.call("GET", "/zebra")
    assert [event["status"] for event in logs] == [400, 422, 422, 404]
    assert MARK not in str(logs)
    assert MARK not in caplog.text
