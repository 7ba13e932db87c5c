"""How much the gateway takes of one address: requests, bytes, connections, patience."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.stack.gateway import answered, client_of, gateway, sent
from tests.stack.stack import Stack
from tests.stack.test_gateway import problem
from tests.support.waiting import until

SURELY_SERVED, SURELY_REFUSED = (
    100,
    140,
)  # around 128, for some are still to be counted, or forgotten
HEADER_SECONDS = 10
UNFINISHED = b"POST /v1/auth/signup HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\n"


@pytest.mark.parametrize("path", ["/page.css", "/nothing", "/v1/auth/dev/nothing"])
async def test_gateway_rate_limit_exceeded_is_429(stack: Stack, path: str) -> None:
    with gateway(stack, GATEWAY_RATE="5") as address:
        async with client_of(address) as http, asyncio.timeout(20):
            refused: list[dict[str, Any]] = []
            while len(refused) < 5:
                async with http.get(path) as answer:
                    if answer.status == 429:
                        assert answer.headers["Retry-After"] == "1"
                        refused.append(await answer.json(content_type=None))
    assert {one["code"] for one in refused} == {"rate_limited"}
    assert {one["retry_after"] for one in refused} == {1}
    assert {one["limit"] for one in refused} == {"GATEWAY_RATE"}


async def test_gateway_body_limit_comes_from_the_setting(stack: Stack) -> None:
    with gateway(stack, GATEWAY_BODY_LIMIT="1k") as address:
        async with client_of(address) as http:
            body = await problem(http, "POST", "/v1/media/creatives", data=b"x" * 2000)
    assert body["code"] == "body_too_large"


async def test_gateway_chunked_body_too_large_is_413(stack: Stack) -> None:
    head = b"POST /v1/auth/signup HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
    too_much = b"30000\r\n" + b"x" * 0x30000
    async with sent(stack.address, head + too_much) as reader, asyncio.timeout(10):
        assert b" 413 " in await reader.readline()


async def test_gateway_connection_limit_exceeded_is_429(stack: Stack, http: ClientSession) -> None:
    async def served() -> bool:
        async with http.get("/page.css") as answer:
            return answer.status == 200

    async with contextlib.AsyncExitStack() as held:
        for _ in range(SURELY_SERVED):
            await held.enter_async_context(sent(stack.address, UNFINISHED))
        await asyncio.sleep(1)  # the gateway has seen them all
        assert await served()
        for _ in range(SURELY_REFUSED - SURELY_SERVED):
            await held.enter_async_context(sent(stack.address, UNFINISHED))
        await until(lambda: _no(served), seconds=20)
        refused = await problem(http, "GET", "/page.css")
        assert (refused["status"], refused["code"]) == (429, "rate_limited")
    await until(served, seconds=10)


async def _no(asked: Callable[[], Awaitable[bool]]) -> bool:
    return not await asked()


async def test_gateway_refused_request_holds_no_connection(stack: Stack) -> None:
    nowhere = UNFINISHED.replace(b"/v1/auth/signup", b"/nothing")
    async with sent(stack.address, nowhere) as reader, asyncio.timeout(HEADER_SECONDS):
        assert b" 404 " in (await answered(reader)).splitlines()[0]


async def test_gateway_body_on_get_route_is_413(http: ClientSession) -> None:
    for path in ("/v1/auth/dev/inbox", "/.well-known/jwks.json", "/.well-known/assetlinks.json"):
        body = await problem(http, "GET", path, data=b"x" * 2000)
        assert body["code"] == "body_too_large"


async def test_gateway_upload_is_forwarded_without_buffering(stack: Stack) -> None:
    head = b"POST /v1/media/creatives HTTP/1.1\r\nHost: here\r\nContent-Length: 9000000\r\n\r\n"
    async with sent(stack.address, head + b"x" * 1000) as reader, asyncio.timeout(10):
        assert b" 401 " in await reader.readline()  # though the rest never comes


async def test_gateway_slow_header_is_closed_after_its_deadline(stack: Stack) -> None:
    began = time.monotonic()
    slow = b"GET /page.css HTTP/1.1\r\nHost: he"
    async with sent(stack.address, slow) as reader, asyncio.timeout(5 * HEADER_SECONDS):
        said = await answered(reader)
    assert said == b"" or b" 408 " in said.splitlines()[0]
    assert time.monotonic() - began > HEADER_SECONDS - 1
