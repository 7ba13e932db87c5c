"""Slow headers: a header has 10 s wherever it begins on a connection; idle time is another matter.

Attacks: half a header behind a whole request, which kept a connection for the 60 s of an idle one.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from deploy.local.proxy import create_proxy
from shared import http_connection, request
from shared.origins import AllowedOrigins
from shared.server import IDLE_SECONDS, listening
from shared.settings import ServiceSettings
from tests.conftest import REVOCATION_KEY
from tests.support.raw_http import SmallService, parse
from tests.support.small_service import small_app

SHORT = 0.2
HEADER = b"GET /v1/small/things HTTP/1.1\r\nHost: h\r\n"
WHOLE = HEADER + b"\r\n"
SLOW = b"GET /v1/small/slow?seconds=0.6 HTTP/1.1\r\nHost: h\r\n\r\n"
BODY = json.dumps({"name": "a"}).encode()
POST = b"POST /v1/small/things HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
SIZED = POST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
UPGRADE = HEADER + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
REQUESTS = {"plain": WHOLE, "sized": SIZED, "chunked": CHUNKED, "upgrade": UPGRADE}
STARTS = [b"G", b"GET / HTTP/1.1\r\n", HEADER + b"X-Zebra: "]


@pytest.fixture(autouse=True)
def _short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (http_connection.HEADER_SECONDS, request.BODY_SECONDS, IDLE_SECONDS) == (10, 10, 60)
    monkeypatch.setattr(http_connection, "HEADER_SECONDS", SHORT)
    monkeypatch.setattr(request, "BODY_SECONDS", SHORT)
    monkeypatch.setattr("shared.body_drain.DRAIN_SECONDS", 0.1)


@pytest.fixture
async def small() -> AsyncIterator[SmallService]:
    settings = ServiceSettings(
        env="development",
        redis_url="redis://127.0.0.1:1",  # type: ignore[arg-type] # read as text
        revocation_key=REVOCATION_KEY,  # type: ignore[arg-type] # likewise
    )
    app = small_app(settings)
    async with listening(app, "127.0.0.1", 0) as address, ClientSession(address) as http:
        yield SmallService(http, address)


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


@pytest.mark.parametrize("first", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("start", STARTS)
async def test_header_begun_behind_a_request_is_closed(
    small: SmallService, first: bytes, start: bytes
) -> None:
    reader, writer = await small.connect()
    async with asyncio.timeout(5):
        writer.write(first + start)
        assert (await read_answer(reader)).startswith(b"HTTP/1.1 20")
        assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize("first", [SIZED, CHUNKED], ids=["sized", "chunked"])
async def test_header_begun_with_the_end_of_a_body_is_closed(
    small: SmallService, first: bytes
) -> None:
    reader, writer = await small.connect()
    async with asyncio.timeout(5):
        writer.write(first[:-6])
        await asyncio.sleep(SHORT / 4)
        writer.write(first[-6:] + b"G")
        assert (await read_answer(reader)).startswith(b"HTTP/1.1 201")
        assert await reader.read() == b""
    writer.close()


async def test_header_begun_during_an_answer_is_closed_after_it(small: SmallService) -> None:
    reader, writer = await small.connect()
    async with asyncio.timeout(5):
        writer.write(SLOW)
        await asyncio.sleep(SHORT / 4)
        writer.write(HEADER)
        assert (await read_answer(reader)).startswith(b"HTTP/1.1 200")
        assert await reader.read() == b""
    writer.close()


async def test_header_dripping_behind_a_request_is_closed(small: SmallService) -> None:
    reader, writer = await small.connect()
    async with asyncio.timeout(5):
        writer.write(WHOLE + b"GET / HTTP/1.1\r\nX: ")
        await read_answer(reader)
        end = asyncio.create_task(reader.read())
        while not end.done():
            writer.write(b"x")
            await asyncio.sleep(SHORT / 10)
        assert await end == b""
    writer.close()


async def test_header_behind_100_pipelined_requests_is_closed(
    small: SmallService,
) -> None:
    reader, writer = await small.connect()
    async with asyncio.timeout(5):
        writer.write(WHOLE * 100 + b"G")
        for _ in range(100):
            assert (await read_answer(reader)).startswith(b"HTTP/1.1 200")
        assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize("first", REQUESTS.values(), ids=REQUESTS)
async def test_connection_without_a_begun_header_stays_open(
    small: SmallService, first: bytes
) -> None:
    reader, writer = await small.connect()
    async with asyncio.timeout(5):
        for piece in (first, first[:-1], first[-1:]):
            writer.write(piece)
            if piece != first[:-1]:
                assert (await read_answer(reader)).startswith(b"HTTP/1.1 20")
                await asyncio.sleep(SHORT * 2)
        writer.write(WHOLE)
        assert (await read_answer(reader)).startswith(b"HTTP/1.1 200")
    writer.close()


async def test_request_pipelined_during_an_answer_is_answered_next(small: SmallService) -> None:
    reader, writer = await small.connect()
    async with asyncio.timeout(5):
        writer.write(SLOW)
        await asyncio.sleep(SHORT / 4)
        writer.write(SLOW + SIZED)
        for status in (b"200", b"200", b"201"):
            assert (await read_answer(reader)).startswith(b"HTTP/1.1 " + status)
    writer.close()


@pytest.mark.parametrize("framing", [b"Content-Length: 20\r\n", b"Transfer-Encoding: chunked\r\n"])
async def test_body_of_pipelined_request_past_its_deadline_is_408(
    small: SmallService, framing: bytes
) -> None:
    start = b'5\r\n{"nam\r\n' if b"chunked" in framing else b'{"nam'
    reader, writer = await small.connect()
    async with asyncio.timeout(5):
        writer.write(WHOLE + POST + framing + b"\r\n" + start)
        await read_answer(reader)
        answer = parse(await read_answer(reader))
        assert (answer.status, answer.code) == (408, "request_timeout")
        assert await reader.read() == b""
    writer.close()


async def test_body_unread_by_its_route_closes_the_connection(small: SmallService) -> None:
    reader, writer = await small.connect()
    async with asyncio.timeout(5):
        writer.write(WHOLE + HEADER + b"Content-Length: 20\r\n\r\nabc")
        await read_answer(reader)
        await read_answer(reader)
        assert await reader.read() == b""
    writer.close()


async def test_header_begun_behind_a_request_to_the_proxy_is_closed(tmp_path: Path) -> None:
    front: web.Application = create_proxy(
        tmp_path / "auth", tmp_path / "media", AllowedOrigins("http://h")
    )
    async with listening(front, "127.0.0.1", 0) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        async with asyncio.timeout(5):
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\nG")
            await read_answer(reader)
            assert await reader.read() == b""
        writer.close()
