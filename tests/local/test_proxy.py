"""The proxy streams bytes both ways, and replaces the headers that only a proxy may set."""

import asyncio
import json
import resource
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import pytest
import structlog
from aiohttp import ClientPayloadError, ClientSession, ServerDisconnectedError, web

from deploy.local.upstream import Upstream
from tests.local.conftest import RunningProxy
from tests.local.dummy_service import BIG, CHUNKED, MIB


async def exchange(port: int, request: bytes, *, until: bytes | None = None) -> bytes:
    """Send raw bytes and return what comes, until it ends or contains `until`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = b""
    async with asyncio.timeout(5):
        while chunk := await reader.read(65536):
            answer += chunk
            if until is not None and until in answer:
                break
    writer.close()
    return answer


async def echoed(client: ClientSession, proxy: RunningProxy, **options: Any) -> dict[str, Any]:
    method = options.pop("method", "GET")
    async with client.request(method, f"{proxy.url}/v1/media/echo", **options) as answer:
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
        return found


def values(found: dict[str, Any], name: str) -> list[str]:
    return [value for key, value in found["headers"] if key.lower() == name.lower()]


async def test_request_is_forwarded_unchanged(client: ClientSession, proxy: RunningProxy) -> None:
    found = await echoed(client, proxy, method="PATCH", params={"q": "a b"}, data=b"\x00\xff")
    assert found["method"] == "PATCH"
    assert found["target"] == "/v1/media/echo?q=a+b"
    assert found["body"] == "\x00\xff"


async def test_path_is_not_normalized(proxy: RunningProxy) -> None:
    request = b"GET /v1/media/../../metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert b" 404 " in (await exchange(proxy.port, request)).split(b"\r\n")[0]
    escaped = b"GET /v1/media/echo?%2e%2F%61=%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert b"/v1/media/echo?%2e%2F%61=%00" in await exchange(proxy.port, escaped)


async def test_forwarding_headers_of_client_are_replaced(
    client: ClientSession, proxy: RunningProxy
) -> None:
    forged = {
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "for=6.6.6.6",
        "X-Real-IP": "6.6.6.6",
        "Host": "cheershare.example",
    }
    found = await echoed(client, proxy, headers=forged)
    assert values(found, "X-Forwarded-For") == ["127.0.0.1"]
    assert values(found, "X-Forwarded-Proto") == ["http"]
    assert values(found, "X-Forwarded-Host") == ["cheershare.example"]
    assert values(found, "Host") == ["cheershare.example"]
    assert "6.6.6.6" not in json.dumps(found)


async def test_request_id_is_the_same_at_proxy_and_service(
    client: ClientSession, proxy: RunningProxy
) -> None:
    given = {"X-Request-ID": "from-the-client.1"}
    assert values(await echoed(client, proxy, headers=given), "x-request-id") == list(
        given.values()
    )
    [made] = values(await echoed(client, proxy, headers={"X-Request-ID": "{}"}), "x-request-id")
    assert len(made) == 24
    async with client.get(f"{proxy.url}/nowhere", headers=given) as answer:
        assert answer.status == 404
        assert answer.headers["X-Request-ID"] == given["X-Request-ID"]
        assert (await answer.json())["request_id"] == given["X-Request-ID"]


async def test_hop_by_hop_headers_are_dropped(client: ClientSession, proxy: RunningProxy) -> None:
    headers = {"Connection": "X-Mine, keep-alive", "X-Mine": "1", "TE": "trailers", "X-Kept": "1"}
    async with client.get(f"{proxy.url}/v1/media/echo", headers=headers) as answer:
        found = await answer.json()
        assert "X-Private" not in answer.headers
        assert answer.headers["X-Public"] == "end"
    for name in ("X-Mine", "TE"):
        assert values(found, name) == []
    assert values(found, "X-Kept") == ["1"]


async def test_headers_that_client_did_not_send_are_not_added(proxy: RunningProxy) -> None:
    request = b"GET /v1/media/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    found = json.loads((await exchange(proxy.port, request)).partition(b"\r\n\r\n")[2])
    names = {name.lower() for name, _ in found["headers"]}
    claims = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"}
    assert names == {"host", "x-request-id"} | claims


async def test_repeated_response_headers_stay_repeated(
    client: ClientSession, proxy: RunningProxy
) -> None:
    for _ in range(2):  # the second time, the proxy itself must not send the cookies of the first
        async with client.get(f"{proxy.url}/v1/media/cookies") as answer:
            assert len(answer.headers.getall("Set-Cookie")) == 2
    async with ClientSession() as other:
        assert values(await echoed(other, proxy), "Cookie") == []


async def test_big_upload_is_streamed(client: ClientSession, proxy: RunningProxy) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(BIG // 65536):
            yield bytes(65536)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with client.put(f"{proxy.url}/v1/media/count", data=body()) as answer:
        assert await answer.text() == str(BIG)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 16, f"{grown} MiB more memory for {BIG // MIB} MiB"


async def test_slow_reader_slows_the_service(proxy: RunningProxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"GET /v1/media/big HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    settled = -1
    while settled != proxy.media.received:  # until nothing more is asked of the service
        settled = proxy.media.received
        await asyncio.sleep(0.2)
    assert 0 < settled < BIG
    async with asyncio.timeout(10):
        await reader.readexactly(BIG)
    assert proxy.media.received == BIG
    writer.close()


async def test_error_during_upload_reaches_the_client(proxy: RunningProxy) -> None:
    head = f"POST /v1/media/refuse HTTP/1.1\r\nHost: x\r\nContent-Length: {BIG}\r\n\r\n".encode()
    answer = await exchange(proxy.port, head + bytes(MIB), until=b"body_too_large")
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_error_during_upload_without_pause_reaches_the_client(
    client: ClientSession, proxy: RunningProxy
) -> None:
    for _ in range(5):
        async with client.post(
            f"{proxy.url}/v1/media/refuse", data=BytesIO(bytes(4 * MIB))
        ) as answer:
            assert answer.status == 413
            assert await answer.json() == {"code": "body_too_large"}


async def test_100_continue_comes_from_the_service(proxy: RunningProxy) -> None:
    head = "{} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    wanted = head.format("POST /v1/media/echo").encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(wanted)
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"hello")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    writer.close()
    refused = await exchange(
        proxy.port, head.format("POST /v1/media/refuse").encode(), until=b"body_too_large"
    )
    assert refused.startswith(b"HTTP/1.1 413 "), "no 100 before a refusal"


async def test_head_and_range_are_forwarded(client: ClientSession, proxy: RunningProxy) -> None:
    url = f"{proxy.url}/v1/media/file"
    async with client.head(url) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, "256000")
        assert await answer.read() == b""
        etag = answer.headers["ETag"]
    async with client.get(url, headers={"Range": "bytes=254-257"}) as answer:
        assert (answer.status, await answer.read()) == (206, b"\xfe\xff\x00\x01")
        assert answer.headers["Content-Range"] == "bytes 254-257/256000"
    async with client.get(url, headers={"If-None-Match": etag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")


async def test_client_disconnect_cancels_the_request(proxy: RunningProxy) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"GET /v1/media/hang HTTP/1.1\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(5):
        await proxy.media.entered.wait()
        writer.close()
        await proxy.media.cancelled.wait()


async def test_client_that_left_before_the_response_is_no_error(
    client: ClientSession, proxy: RunningProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forward(_upstream: Upstream, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        response = web.StreamResponse()
        await response.prepare(request)
        raise AssertionError

    monkeypatch.setattr(Upstream, "forward", forward)
    with structlog.testing.capture_logs() as logs, pytest.raises(ServerDisconnectedError):
        await client.get(f"{proxy.url}/v1/media/echo")
    assert logs == []


async def test_truncated_response_breaks_the_connection(
    client: ClientSession, proxy: RunningProxy
) -> None:
    async with client.get(f"{proxy.url}/v1/media/half") as answer:
        with pytest.raises(ClientPayloadError):
            await answer.read()


@pytest.mark.parametrize("gone", [True, False])
async def test_service_without_answer_is_502(
    client: ClientSession, proxy: RunningProxy, gone: bool
) -> None:
    if gone:
        proxy.media_socket.unlink()
    async with client.post(f"{proxy.url}/v1/media/leave") as answer:
        assert answer.status == 502
        assert answer.content_type == "application/problem+json"
        problem = await answer.json()
        assert problem["code"] == "bad_gateway"
        assert problem["type"] == "/#bad_gateway"


@pytest.mark.parametrize(
    "path", ["/metrics", "/v1/other", "/v1/auth", "/page/../var", "//v1/media/", "/favicon.ico"]
)
async def test_unknown_path_is_404(proxy: RunningProxy, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    head, _, body = (await exchange(proxy.port, request)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404 ")
    assert b"application/problem+json" in head
    assert json.loads(body)["code"] == "not_found"


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (b"rubbish\r\n\r\n", 400, "malformed_request"),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
            431,
            "headers_too_large",
        ),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400, "malformed_request"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405, "method_not_allowed"),
        (
            b"POST /v1/media/count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            400,
            "malformed_request",
        ),
        (
            CHUNKED + b"1\r\na\r\nzz\r\n",
            400,
            "malformed_request",
        ),
    ],
    ids=[
        "not HTTP",
        "long header",
        "negative length",
        "wrong method",
        "broken chunk",
        "broken later",
    ],
)
async def test_invalid_request_gets_problem_of_proxy(
    proxy: RunningProxy, request_: bytes, status: int, code: str
) -> None:
    head, _, body = (await exchange(proxy.port, request_, until=b"request_id")).partition(
        b"\r\n\r\n"
    )
    assert head[8:13] == f" {status} ".encode()
    assert b"application/problem+json" in head
    assert b"nosniff" in head
    assert f'"code": "{code}"'.encode() in body
    assert b"aaaa" not in body
    assert b"zz" not in body
