"""Requests as proxies in the field forward them: old versions, odd codings, any spelling."""

import pytest

from tests.support.raw_http import SmallService

BODY = b'{"name": "x"}'
CLOSE = "Connection: close\r\n\r\n"


@pytest.mark.parametrize("head", ["", "Host: h\r\n", "Host: h\r\nConnection: close\r\n"])
async def test_http_1_0_request_is_answered_whole_and_closed(
    small: SmallService, head: str
) -> None:
    request = f"GET /v1/small/things HTTP/1.0\r\n{head}\r\n"
    raw = await small.raw(request.encode())
    answer = await small.one(request.encode())
    assert answer.status == 200
    assert answer.body == {"limit": 50, "cursor": None}
    assert b"chunked" not in raw
    assert int(answer.headers["Content-Length"]) == len(raw.partition(b"\r\n\r\n")[2])


async def test_http_1_0_keep_alive_request_is_followed_by_another(
    small: SmallService,
) -> None:
    kept = b"GET /v1/small/things HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    raw = await small.raw(kept, b"GET /v1/small/things HTTP/1.0\r\n\r\n")
    assert raw.count(b" 200 OK") == 2


async def test_http_1_0_expectation_is_ignored(small: SmallService) -> None:
    """RFC 9110 §10.1.1: such a client could not read a 100."""
    head = "POST /v1/small/things HTTP/1.0\r\nContent-Type: application/json\r\n"
    expectation = f"Expect: 100-continue\r\nContent-Length: {len(BODY)}\r\n\r\n"
    raw = await small.raw((head + expectation).encode() + BODY)
    assert b" 201 Created" in raw.partition(b"\r\n")[0]


@pytest.mark.parametrize("expectation", ["100-continue", "100-Continue"])
async def test_expect_continue_in_any_case_is_met(small: SmallService, expectation: str) -> None:
    head = "POST /v1/small/things HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
    expected = f"Expect: {expectation}\r\nContent-Length: {len(BODY)}\r\n{CLOSE}"
    raw = await small.raw((head + expected).encode(), BODY)
    assert b" 201 Created" in raw
    assert raw.count(b"100 Continue") <= 1


@pytest.mark.parametrize(
    "accepted", ["", "*", "gzip, br", "zebra", "identity;q=0", "gzip;q=zebra", "gzip, gzip"]
)
async def test_accept_encoding_of_any_value_changes_no_answer(
    small: SmallService, accepted: str
) -> None:
    request = f"GET /v1/small/things HTTP/1.1\r\nHost: h\r\nAccept-Encoding: {accepted}\r\n{CLOSE}"
    answer = await small.one(request.encode())
    assert (answer.status, answer.body["limit"]) == (200, 50)
    assert "Content-Encoding" not in answer.headers
