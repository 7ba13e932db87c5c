"""Connections: none is held open by a client that sends too slowly, or not at all."""

import asyncio
import json

import pytest
import structlog

from shared import http_connection, request
from tests.support.raw_http import SmallService, parse

GET = b"GET /v1/small/things HTTP/1.1\r\nHost: h\r\n"
POST = b"POST /v1/small/things HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
SHORT = 0.2


@pytest.fixture
def _short_header_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert http_connection.HEADER_SECONDS == 10
    monkeypatch.setattr(http_connection, "HEADER_SECONDS", SHORT)


@pytest.fixture
def _short_body_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert request.BODY_SECONDS == 10
    monkeypatch.setattr(request, "BODY_SECONDS", SHORT)


async def first_answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


@pytest.mark.usefixtures("_short_header_time")
@pytest.mark.parametrize("start", [b"", b"G", b"GET / HTTP/1.1\r\n", GET + b"X-Zebra: "])
async def test_header_incomplete_is_closed_after_its_deadline(
    small: SmallService, start: bytes
) -> None:
    began = asyncio.get_running_loop().time()
    assert await small.raw(start) == b""
    assert asyncio.get_running_loop().time() - began >= SHORT * 0.9


@pytest.mark.usefixtures("_short_header_time")
async def test_header_dripping_is_closed_after_its_deadline(small: SmallService) -> None:
    reader, writer = await small.connect()
    end = asyncio.create_task(reader.read())
    async with asyncio.timeout(5):
        while not end.done():
            writer.write(b"G")
            await asyncio.sleep(SHORT / 10)
    assert b"200" not in await end
    writer.close()


@pytest.mark.usefixtures("_short_header_time")
@pytest.mark.parametrize("second", [b"G", GET])
async def test_header_incomplete_on_second_request_is_closed(
    small: SmallService, second: bytes
) -> None:
    reader, writer = await small.connect()
    async with asyncio.timeout(5):
        writer.write(GET + b"\r\n")
        assert (await first_answer(reader)).startswith(b"HTTP/1.1 200")
        writer.write(second)
        assert await reader.read() == b""
    writer.close()


@pytest.mark.usefixtures("_short_header_time")
async def test_handler_slower_than_header_deadline_is_answered(small: SmallService) -> None:
    reader, writer = await small.connect()
    async with asyncio.timeout(5):
        writer.write(b"GET /v1/small/slow?seconds=0.5 HTTP/1.1\r\nHost: h\r\n\r\n")
        assert (await first_answer(reader)).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(SHORT * 2)  # and between two requests nothing is owed
        writer.write(GET + b"\r\n")
        assert (await first_answer(reader)).startswith(b"HTTP/1.1 200")
    writer.close()


async def test_requests_pipelined_are_answered_in_order(small: SmallService) -> None:
    bodies = [json.dumps({"name": str(number)}).encode() for number in range(3)]
    heads = [POST + f"Content-Length: {len(body)}\r\n\r\n".encode() for body in bodies]
    reader, writer = await small.connect()
    async with asyncio.timeout(5):
        writer.write(b"".join(head + body for head, body in zip(heads, bodies, strict=True)))
        names = [parse(await first_answer(reader)).body["name"] for _ in bodies]
    assert names == ["0", "1", "2"]
    writer.close()


@pytest.mark.usefixtures("_short_body_time")
@pytest.mark.parametrize("framing", [b"Content-Length: 20\r\n", b"Transfer-Encoding: chunked\r\n"])
async def test_body_incomplete_is_408(small: SmallService, framing: bytes) -> None:
    start = b'5\r\n{"nam\r\n' if b"chunked" in framing else b'{"nam'
    reader, writer = await small.connect()
    writer.write(POST + framing + b"\r\n" + start)
    read = asyncio.create_task(first_answer(reader))
    await asyncio.wait([read], timeout=5)
    assert read.done()
    answer = parse(await read)
    assert (answer.status, answer.code) == (408, "request_timeout")
    writer.close()


@pytest.mark.parametrize(
    "body", [b"zebra\r\n", b"5\r\nabcdefgh\r\n", b"-1\r\n", b"fffffffffffffffff\r\n", b"5;\n\r\n"]
)
async def test_body_malformed_chunks_are_400(small: SmallService, body: bytes) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = await small.one(POST + b"Transfer-Encoding: chunked\r\n\r\n" + body)
    assert (answer.status, answer.code) == (400, "malformed_request")
    assert "zebra" not in str(answer.body)
    assert "zebra" not in str(logs)


async def test_client_leaving_before_its_body_ends_logs_no_error(
    small: SmallService, caplog: pytest.LogCaptureFixture
) -> None:
    with structlog.testing.capture_logs() as logs:
        _, writer = await small.connect()
        writer.write(POST + b'Content-Length: 20\r\n\r\n{"nam')
        await writer.drain()
        await small.call("GET", "/things")  # by now the other request is being read
        writer.transport.abort()
        async with asyncio.timeout(5):
            while len([event for event in logs if event["event"] == "request.answered"]) < 2:
                await asyncio.sleep(0.01)
    assert [event for event in logs if event["log_level"] == "error"] == []
    assert caplog.text == ""


async def test_client_leaving_before_its_answer_logs_no_error(
    small: SmallService, caplog: pytest.LogCaptureFixture
) -> None:
    with structlog.testing.capture_logs() as logs:
        _, writer = await small.connect()
        writer.write(b"GET /v1/small/slow?seconds=0.1 HTTP/1.1\r\nHost: h\r\n\r\n")
        await writer.drain()
        await small.call("GET", "/things")
        writer.transport.abort()
        async with asyncio.timeout(5):
            while len([event for event in logs if event["event"] == "request.answered"]) < 2:
                await asyncio.sleep(0.01)
    assert [event for event in logs if event["log_level"] == "error"] == []
    assert caplog.text == ""


async def test_client_left_when_its_answer_begins_logs_no_error(
    small: SmallService, caplog: pytest.LogCaptureFixture
) -> None:
    with structlog.testing.capture_logs() as logs:
        reader, writer = await small.connect()
        writer.write(b"GET /v1/small/left HTTP/1.1\r\nHost: h\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
    assert [event for event in logs if event["log_level"] == "error"] == []
    assert caplog.text == ""
