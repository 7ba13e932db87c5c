"""Answers before the end of a body: they say `close`, and their client gets to read them."""

import asyncio
import contextlib
from collections.abc import Callable
from math import inf
from typing import Any

import pytest

from shared import body_drain
from tests.support.raw_http import SmallService, parse
from tests.support.waiting import until

LENGTH = 8 * 1024 * 1024
PIECE = bytes(64 * 1024)
REFUSED = b"POST /v1/small/things HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n"
TAKEN = b"POST /v1/small/things HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
UNKNOWN = b"POST /v1/small/nothing HTTP/1.1\r\nHost: h\r\n"
GET = b"GET /v1/small/things HTTP/1.1\r\nHost: h\r\n\r\n"
SIZED = b"Content-Length: %d\r\n\r\n" % LENGTH
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
EXPECT = b"Expect: 100-continue\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
NAME = b'{"name": "a"}'


@pytest.fixture(autouse=True)
def _times(small: SmallService, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in production, where the fixture of the service shortens them."""
    assert (body_drain.BRIEF_SECONDS, body_drain.PAUSE_SECONDS) == (2, 5)
    monkeypatch.setattr(body_drain, "DRAIN_SECONDS", 30)


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


async def begin_refused(
    small: SmallService, head: bytes = REFUSED + SIZED
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection whose request was answered before its body."""
    reader, writer = await small.connect()
    writer.write(head)
    answer = parse(await read_answer(reader))
    assert (answer.status, answer.headers["Connection"]) == (415, "close")
    return reader, writer


async def seconds_until_closed(reader: asyncio.StreamReader) -> float:
    """Return how long the service keeps the connection; infinity for 8 s and more."""
    began = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(8):
            with contextlib.suppress(ConnectionResetError):  # unread bytes were left
                assert await reader.read() == b""
    except TimeoutError:
        return inf
    return asyncio.get_running_loop().time() - began


@pytest.mark.parametrize("head", [REFUSED + SIZED, UNKNOWN + SIZED, TAKEN + SIZED])
async def test_refusal_client_that_still_sends_can_send_all_and_read_it(
    small: SmallService, head: bytes
) -> None:
    reader, writer = await small.connect()
    writer.write(head)
    async with asyncio.timeout(20):
        for _ in range(LENGTH // len(PIECE)):
            writer.write(PIECE)
            await writer.drain()
            await asyncio.sleep(0.02)  # longer in total than the 2 s that it had once
        answer = parse(await reader.read())
    assert answer.status in {404, 413, 415}
    assert answer.headers["Connection"] == "close"
    writer.close()


async def test_refusal_of_a_chunked_body_lets_its_client_finish(small: SmallService) -> None:
    reader, writer = await begin_refused(small, REFUSED + CHUNKED)
    async with asyncio.timeout(5):
        for _ in range(10):
            writer.write(b"3\r\nabc\r\n")
            await asyncio.sleep(0.02)
        writer.write(b"0\r\n\r\n")
        assert await reader.read() == b""
    writer.close()


async def test_refusal_of_a_whole_body_keeps_the_connection(small: SmallService) -> None:
    reader, writer = await small.connect()
    async with asyncio.timeout(5):
        writer.write(REFUSED + b"Content-Length: 3\r\n\r\nabc" + GET)
        refused = parse(await read_answer(reader))
        assert (refused.status, refused.headers.get("Connection")) == (415, None)
        assert parse(await read_answer(reader)).status == 200
    writer.close()


async def test_refused_client_that_pauses_is_closed(
    small: SmallService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_drain, "PAUSE_SECONDS", 0.1)
    reader, writer = await begin_refused(small)
    writer.write(PIECE)
    assert await seconds_until_closed(reader) < 4
    writer.close()


async def test_refused_client_that_drips_is_closed_in_time(
    small: SmallService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_drain, "DRAIN_SECONDS", 0.3)
    reader, writer = await begin_refused(small)
    closed = asyncio.create_task(seconds_until_closed(reader))
    while not closed.done():
        writer.write(b"x")
        await asyncio.sleep(0.02)
    assert await closed < 4
    writer.close()


async def test_refused_client_that_sends_without_end_is_closed(
    small: SmallService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_drain, "MAX_BYTES", len(PIECE))
    reader, writer = await begin_refused(small)
    for _ in range(8):
        writer.write(PIECE)
    assert await seconds_until_closed(reader) < 4
    writer.close()


async def test_refused_clients_above_the_limit_have_less_time(
    small: SmallService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_drain, "MAX_CONNECTIONS", 1)
    monkeypatch.setattr(body_drain, "BRIEF_SECONDS", 0.2)
    first, first_writer = await begin_refused(small)
    second, second_writer = await begin_refused(small)
    assert await seconds_until_closed(second) < 4
    first_writer.write(PIECE)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(first.read(), 0.3)
    first_writer.transport.abort()  # gives its place back
    second_writer.close()

    async def has_place() -> bool:
        third, third_writer = await begin_refused(small)
        try:
            await asyncio.wait_for(third.read(), 0.5)
        except TimeoutError:
            return True
        finally:
            third_writer.close()
        return False

    await until(has_place, seconds=10)


async def test_service_that_ends_gives_a_refused_client_little_time(
    serving_small: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving_small() as small:
        monkeypatch.setattr(body_drain, "DRAIN_SECONDS", 30)
        monkeypatch.setattr(body_drain, "BRIEF_SECONDS", 0.2)
        reader, writer = await begin_refused(small)
        ended = asyncio.create_task(seconds_until_closed(reader))
        await asyncio.sleep(0.1)
        assert not ended.done()
    assert await ended < 4
    writer.close()


@pytest.mark.parametrize("head", [REFUSED, UNKNOWN, TAKEN + b"Content-Encoding: gzip\r\n"])
async def test_refused_client_that_waits_for_100_gets_the_refusal_alone(
    small: SmallService, head: bytes
) -> None:
    reader, writer = await small.connect()
    async with asyncio.timeout(5):
        writer.write(head + EXPECT + b"Content-Length: 3\r\n\r\n")
        answer = parse(await read_answer(reader))
    assert answer.status in {404, 415}
    assert answer.headers["Connection"] == "close"
    writer.close()


async def test_client_that_waits_for_100_is_asked_for_a_wanted_body(small: SmallService) -> None:
    reader, writer = await small.connect()
    async with asyncio.timeout(5):
        for _ in range(2):  # the connection stays
            writer.write(TAKEN + EXPECT + b"Content-Length: %d\r\n\r\n" % len(NAME))
            assert await reader.readuntil(b"\r\n\r\n") == CONTINUE
            writer.write(NAME)
            assert parse(await read_answer(reader)).status == 201
    writer.close()


async def test_client_that_expects_100_in_http_1_0_is_not_asked(small: SmallService) -> None:
    old = TAKEN.replace(b"HTTP/1.1", b"HTTP/1.0") + EXPECT
    answer = await small.one(old + b"Content-Length: %d\r\n\r\n" % len(NAME), NAME)
    assert answer.status == 201


async def test_client_that_expects_100_may_send_bytes_that_are_no_text(small: SmallService) -> None:
    head = TAKEN + EXPECT + b"X-Name: \xff\xfe\r\nContent-Length: %d\r\n\r\n" % len(NAME)
    assert b"HTTP/1.1 201" in await small.raw(
        head.replace(b"Host", b"Connection: close\r\nHost"), NAME
    )


@pytest.mark.parametrize("protocol", [b"h2c", b"H2C", b"TLS/1.0, h2c"])
async def test_upgrade_that_is_declined_says_close_where_it_drops_requests(
    small: SmallService, protocol: bytes
) -> None:
    """The JDK's HttpClient asks for `h2c` with every request over plain http."""
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAA\r\nUpgrade: "
    head = TAKEN + upgrade + protocol + b"\r\nContent-Length: %d\r\n\r\n" % len(NAME)
    reader, writer = await small.connect()
    async with asyncio.timeout(5):
        writer.write(head + NAME + GET)
        answer = parse(await reader.read())
    assert (answer.status, answer.headers["Connection"]) == (201, "close")
    writer.close()


async def test_upgrade_to_websocket_that_is_declined_loses_nothing(small: SmallService) -> None:
    head = TAKEN + b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: %d\r\n\r\n"
    reader, writer = await small.connect()
    async with asyncio.timeout(5):
        writer.write(head % len(NAME) + NAME + GET)
        assert parse(await read_answer(reader)).status == 201
        assert parse(await read_answer(reader)).status == 200
    writer.close()
