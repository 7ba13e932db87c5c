"""A response is bounded before it is parsed, whatever its bytes are."""

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest
from aiohttp.client_proto import ResponseHandler

from shared.webhooks.connection import MAX_RESPONSE_BYTES
from tests.shared.webhooks.conftest import Posting
from tests.support.flood import FLOODS
from tests.support.webhook_receiver import HOST, Receiver, answering

RESULTS: dict[str, tuple[int | None, str | None]] = {
    "interim responses": (None, "invalid_response"),
    "interim responses with fields": (None, "invalid_response"),
    "head": (None, "invalid_response"),
    "body": (500, None),
    "trailers": (None, "invalid_response"),
    "upgrade": (101, None),
}
ACCEPTED = (200, None)


@pytest.fixture(params=FLOODS)
async def flood(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, str]]:
    """The kind of a flood, and the URL of its receiver."""
    command = [sys.executable, "-m", "tests.support.flood", request.param]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        yield request.param, f"http://{HOST}:{port}/"
    finally:
        process.kill()
        await process.communicate()


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths that aiohttp has been given to parse."""
    lengths = []
    parse = ResponseHandler.data_received

    def count(handler: ResponseHandler, data: bytes) -> None:
        lengths.append(len(data))
        parse(handler, data)

    monkeypatch.setattr(ResponseHandler, "data_received", count)
    return lengths


async def test_flood_is_parsed_up_to_the_bound_and_named(
    flood: tuple[str, str], post: Posting, parsed: list[int]
) -> None:
    kind, url = flood
    attempt = await post(url)
    assert (attempt.status_code, attempt.error) == RESULTS.get(kind, ACCEPTED)
    assert 0 < sum(parsed) <= MAX_RESPONSE_BYTES


async def test_response_of_the_bound_is_read_and_one_byte_more_is_not(
    receiver: Receiver, post: Posting, parsed: list[int]
) -> None:
    head = len(b"HTTP/1.1 500 X\r\nContent-Length: 65000\r\nX: \r\n\r\n")
    for more in (0, 1):
        parsed.clear()
        filler = "x" * (MAX_RESPONSE_BYTES - 65_000 - head + more)
        receiver.respond = answering(500, b"e" * 65_000, f"X: {filler}")
        attempt = await post(receiver.url)
        assert (attempt.status_code, attempt.response_excerpt) == (500, "e" * 1024)
        assert sum(parsed) <= MAX_RESPONSE_BYTES
