"""One attempt: what is sent, and what a receiver's answer becomes, however it behaves."""

import asyncio
import socket
import struct
import tracemalloc
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from standardwebhooks import Webhook

from shared.clock import SystemClock
from shared.webhooks.sender import EXCERPT_BYTES, open_sender
from tests.shared.webhooks.conftest import MESSAGE, POLICY, SECRET, Posting
from tests.support.clock import MovableClock
from tests.support.waiting import until
from tests.support.webhook_receiver import Receiver, answering

OK = b"HTTP/1.1 200 OK\r\n"


async def test_attempt_request_is_verified_by_the_official_library(
    receiver: Receiver, post: Posting
) -> None:
    attempt = await post(receiver.url)
    (request,) = receiver.requests
    assert (attempt.delivered, attempt.status_code, attempt.error) == (True, 200, None)
    assert request.line == "POST /hook HTTP/1.1"
    assert request.body == MESSAGE.body
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["webhook-id"] == "msg_1"
    Webhook(SECRET).verify(request.body, dict(request.headers))


async def test_attempt_later_one_has_the_same_id_and_its_own_time(receiver: Receiver) -> None:
    clock = MovableClock()
    async with open_sender(POLICY, 5, clock, 50) as sender:
        for _ in range(2):
            await sender.attempt(receiver.url, MESSAGE, [SECRET])
            clock.advance(minutes=2)
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    span = int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"])
    assert timedelta(seconds=span) >= timedelta(minutes=2)


async def test_attempt_duration_is_measured_and_follows_the_start(
    receiver: Receiver, post: Posting
) -> None:
    async def respond(_reader: Reader, writer: Writer) -> None:
        await asyncio.sleep(0.2)
        await answering(204)(_reader, writer)

    receiver.respond = respond
    attempt = await post(receiver.url)
    assert attempt.duration_ms >= 200
    assert attempt.ended_at - attempt.at == timedelta(milliseconds=attempt.duration_ms)


async def test_attempt_proxy_of_the_environment_is_ignored(
    receiver: Receiver, post: Posting, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert (await post(receiver.url)).delivered


async def test_attempt_cookie_of_a_response_is_not_sent_back(
    receiver: Receiver, post: Posting
) -> None:
    receiver.respond = answering(200, b"", "Set-Cookie: session=1; Path=/")
    for _ in range(2):
        await post(receiver.url)
    assert receiver.connections == 2
    assert "Cookie" not in receiver.requests[1].headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_attempt_redirect_fails_and_is_not_followed(
    receiver: Receiver, post: Posting, status: int
) -> None:
    receiver.respond = answering(status, b"", f"Location: {receiver.url}")
    attempt = await post(receiver.url)
    assert (attempt.delivered, attempt.status_code, receiver.connections) == (False, status, 1)


@pytest.mark.parametrize("status", [101, 304, 400, 404, 410, 418, 500, 999])
async def test_attempt_other_status_fails(receiver: Receiver, post: Posting, status: int) -> None:
    receiver.respond = answering(status)
    attempt = await post(receiver.url)
    assert (attempt.delivered, attempt.status_code) == (False, status)
    assert attempt.endpoint_gone is (status == 410)


async def test_attempt_status_zero_is_a_status(receiver: Receiver, post: Posting) -> None:
    async def respond(_reader: Reader, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n")

    receiver.respond = respond
    attempt = await post(receiver.url)
    assert (attempt.delivered, attempt.status_code, attempt.error) == (False, 0, None)


async def test_attempt_retry_after_is_read(receiver: Receiver, post: Posting) -> None:
    receiver.respond = answering(503, b"later", "Retry-After: 120")
    attempt = await post(receiver.url)
    assert (attempt.status_code, attempt.retry_after) == (503, 120)
    assert attempt.response_excerpt == "later"


# What a hostile receiver does


async def endless(_reader: Reader, writer: Writer) -> None:
    writer.write(OK + b"Content-Length: 10485760\r\n\r\n")
    for _ in range(1024):
        writer.write(b"x" * 10_240)
        await writer.drain()


async def reset(_reader: Reader, writer: Writer) -> None:
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def nothing(_reader: Reader, _writer: Writer) -> None:
    await asyncio.sleep(60)


async def late(reader: Reader, writer: Writer) -> None:
    await asyncio.sleep(2)
    await answering(200)(reader, writer)


async def dripping_head(_reader: Reader, writer: Writer) -> None:
    for byte in OK * 10:
        writer.write(bytes([byte]))
        await asyncio.sleep(0.1)


async def dripping_body(_reader: Reader, writer: Writer) -> None:
    writer.write(OK + b"Content-Length: 1000\r\n\r\n")
    for _ in range(1000):
        writer.write(b"x")
        await asyncio.sleep(0.1)


async def garbage(_reader: Reader, writer: Writer) -> None:
    writer.write(bytes(range(256)) * 4)


async def endless_header(_reader: Reader, writer: Writer) -> None:
    writer.write(OK + b"X-Long: ")
    for _ in range(1000):
        writer.write(b"x" * 1000)
        await writer.drain()


async def many_headers(_reader: Reader, writer: Writer) -> None:
    writer.write(OK)
    for _ in range(1000):
        writer.write(b"X-Name: y\r\n" * 100)
        await writer.drain()
        await asyncio.sleep(0)


async def endless_continue(_reader: Reader, writer: Writer) -> None:
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
        await writer.drain()
        await asyncio.sleep(0)


async def broken_chunks(_reader: Reader, writer: Writer) -> None:
    writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    await asyncio.sleep(0.2)
    writer.write(b"zz\r\n")


async def cut_body(_reader: Reader, writer: Writer) -> None:
    writer.write(OK + b"Content-Length: 100\r\n\r\nshort")


@pytest.mark.parametrize(
    ("respond", "status", "errors"),
    [
        (endless, 200, {None}),
        (dripping_body, 200, {None}),
        (broken_chunks, 200, {None}),
        (cut_body, 200, {None}),
        (reset, None, {"connection_lost"}),
        (nothing, None, {"timeout"}),
        (late, None, {"timeout"}),
        (dripping_head, None, {"timeout"}),
        (garbage, None, {"invalid_response"}),
        (endless_header, None, {"invalid_response"}),
        (many_headers, None, {"invalid_response"}),
        (endless_continue, None, {"invalid_response"}),
    ],
)
async def test_attempt_hostile_receiver_ends_in_time_with_a_named_result(
    receiver: Receiver,
    respond: Callable[[Reader, Writer], Awaitable[None]],
    status: int | None,
    errors: set[str | None],
) -> None:
    receiver.respond = respond
    async with open_sender(POLICY, 1, SystemClock(), 50) as sender:
        tracemalloc.start()
        async with asyncio.timeout(5):
            attempt = await sender.attempt(receiver.url, MESSAGE, [SECRET])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert attempt.status_code == status
    assert attempt.error in errors
    assert len(attempt.response_excerpt) <= EXCERPT_BYTES
    assert peak < 4_000_000


async def test_attempt_body_without_end_is_left_soon_after_its_status(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.webhooks.sender.EXCERPT_SECONDS", 0.5)
    receiver.respond = dripping_body
    async with open_sender(POLICY, 60, SystemClock(), 50) as sender, asyncio.timeout(30):
        attempt = await sender.attempt(receiver.url, MESSAGE, [SECRET])
    assert (attempt.status_code, attempt.error) == (200, None)
    assert set(attempt.response_excerpt) == {"x"}


async def test_attempt_excerpt_is_the_first_kibibyte_as_text(
    receiver: Receiver, post: Posting
) -> None:
    receiver.respond = answering(500, b"a\x00\xff" + "é".encode() * 2000)
    excerpt = (await post(receiver.url)).response_excerpt
    assert excerpt.startswith("a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}é")
    assert len(excerpt) == 3 + 510 + 1  # the last character is cut in two


async def test_attempt_compressed_response_is_not_decompressed(
    receiver: Receiver, post: Posting
) -> None:
    receiver.respond = answering(200, b"\x1f\x8bnot really", "Content-Encoding: gzip")
    attempt = await post(receiver.url)
    assert (attempt.status_code, attempt.error) == (200, None)
    assert "not really" in attempt.response_excerpt
    assert receiver.requests[0].headers["Accept-Encoding"] == "identity"


async def test_attempt_second_response_on_a_connection_is_never_read(
    receiver: Receiver, post: Posting
) -> None:
    async def respond(reader: Reader, writer: Writer) -> None:
        await answering(500)(reader, writer)
        await answering(200)(reader, writer)

    receiver.respond = respond
    assert (await post(receiver.url)).status_code == 500
    assert (await post(receiver.url)).status_code == 500
    assert receiver.connections == 2


async def test_attempt_closed_port_fails_as_connection(receiver: Receiver, post: Posting) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.77", 0))
        port = unused.getsockname()[1]
        attempt = await post(f"http://127.0.0.77:{port}/")
    assert attempt.error == "connection_failed"


async def test_attempts_hanging_receivers_hold_up_no_other(receiver: Receiver) -> None:
    async with open_sender(POLICY, 30, SystemClock(), 50) as sender:
        receiver.respond = nothing
        hanging = [
            asyncio.create_task(sender.attempt(receiver.url, MESSAGE, [SECRET]))
            for _ in range(150)  # more than aiohttp's own limit of connections
        ]
        await until(lambda: len(receiver.requests) == len(hanging), 20)
        receiver.respond = answering(200)
        assert (await sender.attempt(receiver.url, MESSAGE, [SECRET])).delivered
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
