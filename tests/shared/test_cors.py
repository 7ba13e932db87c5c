"""Pages of other origins: the answers that a browser lets them read."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from tests.support.auth_client import Answer
from tests.support.raw_http import SmallService

APP, LOCAL = "https://app.example", "http://localhost:5173"
FOREIGN = ["https://evil.example", "null", "*", "", f"{APP}:8443", "http://app.example"]
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
JSON = {"Content-Type": "application/json"}
PREFIX = "Access-Control-"


@pytest.fixture
def listing(serving_small: Callable[..., Any]) -> Any:
    """Serves the small service to pages of one other origin, and of this machine."""
    return serving_small(cors_origins=APP)


@pytest.fixture
def in_production(serving_small: Callable[..., Any]) -> Any:
    """The same in production, where no port of this machine counts."""
    return serving_small(
        cors_origins=APP,
        env="production",
        public_url="https://id.example",
        redis_url="redis://user:password@127.0.0.1:1",
        revocation_key="wX9rT2mQ7vL4kZ8pB1nH6cF3jD5sG0yA",
    )


def assert_readable(answer: Answer, origin: str) -> None:
    """Assert that a browser gives this answer to a page of the origin."""
    headers = answer.headers
    assert headers["Access-Control-Allow-Origin"] == origin
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert headers["Access-Control-Expose-Headers"] == "ETag, Location, Retry-After, X-Request-ID"
    assert "Origin" in headers["Vary"].split(", ")


def assert_unreadable(answer: Answer) -> None:
    """Assert that a browser gives this answer to no page of another origin."""
    assert [name for name in answer.headers if name.startswith(PREFIX)] == []
    assert "Origin" in answer.headers["Vary"].split(", ")


async def every_kind(service: SmallService, origin: str) -> list[Answer]:
    """An answer of each status that the middleware makes, of pages and of documents."""
    headers = {"Origin": origin}
    large = JSON | {"Content-Length": "70000"}
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/things", {}),
        ("GET", "/things?limit=0", {}),
        ("GET", "/things/x", {}),
        ("GET", "/things/x", {"headers": {"Authorization": "Bearer bad"}}),
        ("GET", "/nothing", {}),
        ("DELETE", "/things", {}),
        ("OPTIONS", "/things", {}),
        ("POST", "/things", {"data": b"{", "headers": JSON}),
        ("POST", "/things", {"data": b"{"}),
        ("POST", "/things", {"headers": large, "data": b" " * 70000}),
        ("GET", "/broken", {}),
        ("GET", "/late", {}),
        ("GET", "/openapi.json", {}),
        ("GET", "/docs", {}),
    ]
    answers = []
    for method, path, options in calls:
        more = options.pop("headers", {})
        async with service.http.request(
            method, f"/v1/small{path}", headers=headers | more, **options
        ) as answer:
            answers.append(Answer(answer.status, answer.headers, None))
    return answers


async def test_every_answer_listed_page_may_read_it(listing: Any) -> None:
    async with listing as service:
        for origin in (APP, LOCAL):
            answers = await every_kind(service, origin)
            statuses = {answer.status for answer in answers}
            assert statuses >= {200, 400, 401, 404, 405, 413, 415, 422, 500, 503}
            for answer in answers:
                assert_readable(answer, origin)


async def test_every_answer_foreign_page_reads_none(in_production: Any) -> None:
    async with in_production as service:
        for origin in (*FOREIGN, LOCAL, "http://127.0.0.1:3000", "http://[::1]:3000"):
            for answer in await every_kind(service, origin):
                assert_unreadable(answer)
        assert_readable(await service.call("GET", "/things", headers={"Origin": APP}), APP)


async def test_answer_without_origin_still_varies_by_it(listing: Any) -> None:
    async with listing as service:
        assert_unreadable(await service.call("GET", "/things"))


async def test_two_origins_are_no_origin(listing: Any) -> None:
    async with listing as service:
        raw = f"GET /v1/small/things HTTP/1.1\r\nHost: h\r\nOrigin: {APP}\r\nOrigin: {APP}\r\n"
        assert_unreadable(await service.one(f"{raw}Connection: close\r\n\r\n".encode()))


async def test_expectation_that_is_refused_is_readable(listing: Any) -> None:
    async with listing as service:
        raw = f"GET /v1/small/things HTTP/1.1\r\nHost: h\r\nOrigin: {APP}\r\nExpect: zebra\r\n"
        answer = await service.one(f"{raw}Connection: close\r\n\r\n".encode())
        assert answer.status == 400
        assert_readable(answer, APP)


@pytest.mark.parametrize("path", ["/things", "/things/x", "/maybe", "/nothing", "/docs"])
async def test_preflight_is_answered_without_token_for_each_path(listing: Any, path: str) -> None:
    async with listing as service:
        for origin in (APP, LOCAL, "https://localhost", "http://127.0.0.1:1", "http://[::1]:8080"):
            answer = await service.call("OPTIONS", path, headers={"Origin": origin, **ASKS})
            assert answer.status == 204
            assert_readable(answer, origin)
            assert answer.headers["Access-Control-Max-Age"] == "600"
            assert answer.headers["Access-Control-Allow-Headers"] == "authorization"
            methods = set(answer.headers["Access-Control-Allow-Methods"].split(", "))
            assert methods == {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}


@pytest.mark.parametrize("origin", [*FOREIGN, LOCAL])
async def test_preflight_of_foreign_page_names_the_setting(in_production: Any, origin: str) -> None:
    forged = {"Host": "localhost", "X-Forwarded-Host": "localhost", "X-Forwarded-For": "127.0.0.1"}
    async with in_production as service:
        with structlog.testing.capture_logs() as logs:
            answer = await service.call(
                "OPTIONS", "/things", headers={"Origin": origin, **ASKS, **forged}
            )
    assert (answer.status, answer.code) == (403, "forbidden")
    assert "CORS_ORIGINS" in answer.body["detail"]
    assert_unreadable(answer)
    [line] = [line for line in logs if line["event"] == "preflight.refused"]
    assert (line["origin"], line["setting"]) == (origin, "CORS_ORIGINS")


async def test_preflight_runs_no_handler(listing: Any) -> None:
    async with listing as service, asyncio.timeout(5):
        headers = {"Origin": APP, **ASKS}
        await service.call("OPTIONS", "/slow?seconds=60", headers=headers)
        busy = await service.call("GET", "/busy")
        assert busy.body["text"] == "0"
