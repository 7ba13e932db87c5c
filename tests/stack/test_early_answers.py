"""Requests that are answered before their body has ended: the gateway closes where it says so."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from tests.stack.stack import Stack

PIECE = bytes(64 * 1024)
PIECES, PAUSE_SECONDS = 80, 0.04  # 5 MB, in longer than the two seconds that nginx once waited
FORM = "Authorization: Bearer expired\r\nContent-Type: multipart/form-data; boundary=x\r\n"
GET = b"GET /page.css HTTP/1.1\r\nHost: here\r\n\r\n"
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def connection(stack: Stack) -> AsyncIterator[Connection]:
    place = urlsplit(stack.address)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    async with asyncio.timeout(40):
        yield reader, writer
    writer.transport.abort()


async def send_all(connection: Connection, method: str, path: str, headers: str = "") -> bytes:
    """Send the whole body, whatever is answered meanwhile; return the answer."""
    reader, writer = connection
    length = PIECES * len(PIECE)
    head = f"{method} {path} HTTP/1.1\r\nHost: here\r\n{headers}Content-Length: {length}\r\n\r\n"
    writer.write(head.encode())
    for _ in range(PIECES):
        writer.write(PIECE)
        await writer.drain()
        await asyncio.sleep(PAUSE_SECONDS)
    answer = await reader.readuntil(b"\r\n\r\n")
    length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return answer + await reader.readexactly(length)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/media/creatives"),
        ("POST", "/v1/media/products?x=1"),
        ("PUT", "/v1/media/products/PR-AAAAAAAAAAAA/photo"),
    ],
)
async def test_upload_refused_while_it_is_sent_reads_its_answer_and_close(
    connection: Connection, method: str, path: str
) -> None:
    answer = await send_all(connection, method, path, FORM)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"\r\nConnection: close\r\n" in answer
    assert await connection[0].read() == b""


@pytest.mark.parametrize("path", ["/nothing", "/v1/media/creatives/", "/v1/media/link"])
async def test_body_for_no_upload_route_keeps_the_connection(
    connection: Connection, path: str
) -> None:
    answer = await send_all(connection, "POST", path)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"\r\nConnection: keep-alive\r\n" in answer
    connection[1].write(GET)
    assert (await connection[0].readline()).startswith(b"HTTP/1.1 200 ")


async def test_list_of_an_upload_route_keeps_the_connection(connection: Connection) -> None:
    reader, writer = connection
    writer.write(GET.replace(b"/page.css", b"/v1/media/creatives"))
    assert b"\r\nConnection: keep-alive\r\n" in await reader.readuntil(b"\r\n\r\n")
