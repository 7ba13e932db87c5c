"""The headers, the id and the fitting refusal of every answer, whatever became of its request."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
import structlog
from aiohttp import ClientSession

from shared.application import Interface, build_application
from shared.entropy import SystemEntropy
from shared.errors import TokenInvalid
from shared.server import listening
from shared.settings import ServiceSettings
from tests.support.raw_http import SmallService
from tests.support.small_service import authenticate, small_app

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
LINE = "GET /v1/small/things HTTP/1.1\r\nHost: h\r\n"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/small/things", 200),
        ("GET", "/v1/small/things?limit=0", 422),
        ("GET", "/v1/small/nothing", 404),
        ("GET", "/", 404),
        ("GET", "/v1/small/things/x", 401),
        ("PUT", "/v1/small/things", 405),
        ("POST", "/v1/small/things", 415),
        ("GET", "/v1/small/broken", 500),
        ("GET", "/v1/small/late", 503),
        ("GET", "/v1/small/docs", 200),
        ("GET", "/v1/small/openapi.json", 200),
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("GET", "/metrics", 200),
        ("OPTIONS", "/v1/small/things", 405),
        ("HEAD", "/v1/small/nothing", 404),
    ],
)
async def test_responses_have_security_headers_and_request_id(
    small: SmallService, method: str, path: str, status: int
) -> None:
    async with small.http.request(method, path) as answer:
        assert answer.status == status
        assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY
        assert re.fullmatch("[0-9a-f]{24}", answer.headers["X-Request-ID"])
        assert "Server" not in answer.headers


@pytest.mark.parametrize(
    ("broken", "status", "code"),
    [
        (f"{LINE}X-Zebra: {'z' * 9000}\r\n\r\n", 431, "headers_too_large"),
        (f"GET /{'z' * 9000} HTTP/1.1\r\nHost: h\r\n\r\n", 431, "headers_too_large"),
        ("zebra\r\n\r\n", 400, "malformed_request"),
        ("BREW /zebra HTTP/1.1\r\nHost: h\r\n\r\n", 400, "malformed_request"),
        ("GET zebra HTTP/1.1\r\nHost: h\r\n\r\n", 400, "malformed_request"),
        ("GET / HTTP/9.zebra\r\nHost: h\r\n\r\n", 400, "malformed_request"),
        (f"{LINE}zebra\r\n\r\n", 400, "malformed_request"),
        (f"{LINE}Ze bra: x\r\n\r\n", 400, "malformed_request"),
        (f"{LINE}X-Zebra: a\0b\r\n\r\n", 400, "malformed_request"),
        (f"{LINE}Content-Length: zebra\r\n\r\n", 400, "malformed_request"),
        (f"{LINE}Content-Length: -1\r\n\r\n", 400, "malformed_request"),
        (f"{LINE}Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "malformed_request"),
        (
            f"{LINE}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            "malformed_request",
        ),
        (f"{LINE}Transfer-Encoding: zebra\r\n\r\n", 400, "malformed_request"),
    ],
    ids=lambda value: str(value)[:40].encode().hex(),
)
async def test_responses_to_unparsable_request_quote_nothing(
    small: SmallService, caplog: pytest.LogCaptureFixture, broken: str, status: int, code: str
) -> None:
    with structlog.testing.capture_logs() as logs:
        raw = await small.raw(broken.encode())
        answer = await small.one(broken.encode())
    assert (answer.status, answer.code) == (status, code)
    assert answer.body["type"] == f"/v1/small/docs#{code}"
    assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY
    assert "aiohttp" not in answer.headers["Server"]
    assert logs[0]["event"] == "request.refused"
    for text in (raw.decode(), str(logs), caplog.text):
        assert "ebra" not in text
        assert "zzz" not in text


@pytest.mark.parametrize("path", ["/v1/small/things", "/v1/small/zebra"])
async def test_responses_to_unknown_expectation_are_problems(
    small: SmallService, path: str
) -> None:
    answer = await small.one(
        f"POST {path} HTTP/1.1\r\nHost: h\r\nExpect: zebra\r\nContent-Length: 2\r\n"
        "Connection: close\r\n\r\n".encode()
    )
    assert 400 <= answer.status < 500
    assert answer.code
    assert "zebra" not in str(answer.body)
    assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY


@pytest.mark.parametrize(
    "given",
    ["12345678", "a" * 64, "aB3._-xyz", "0190c8a0-1234-7000-8000-000000000001"],
)
async def test_request_id_valid_is_echoed_and_logged(small: SmallService, given: str) -> None:
    with structlog.testing.capture_logs(
        processors=[structlog.contextvars.merge_contextvars]
    ) as logs:
        answer = await small.call("GET", "/nothing", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] == given
    assert answer.body["request_id"] == given
    assert [event["request_id"] for event in logs] == [given]


@pytest.mark.parametrize(
    "given", ["", "1234567", "a" * 65, "zebra zebra", "zebra/zebra", "zebra;é", "zebrazebra\u0660"]
)
async def test_request_id_invalid_is_replaced(small: SmallService, given: str) -> None:
    answer = await small.call("GET", "/nothing", headers={"X-Request-ID": given})
    assert re.fullmatch("[0-9a-f]{24}", answer.headers["X-Request-ID"])
    assert answer.body["request_id"] == answer.headers["X-Request-ID"]


async def test_request_id_is_unique_to_each_request(small: SmallService) -> None:
    made = {(await small.call("GET", "/nothing")).headers["X-Request-ID"] for _ in range(20)}
    assert len(made) == 20


async def test_responses_of_guarded_routes_vary_by_credentials(small: SmallService) -> None:
    path = f"/things/{uuid4()}"
    refused = await small.call("GET", path)
    passed = await small.call("GET", path, headers={"Authorization": "Bearer good"})
    assert (refused.status, passed.status) == (401, 200)
    for answer in (refused, passed):
        assert answer.headers["Vary"] == "Authorization, Cookie, Origin"
    assert refused.headers["WWW-Authenticate"].startswith("Bearer ")
    assert (await small.call("GET", "/things")).headers["Vary"] == "Origin"


@pytest.mark.parametrize("path", ["/nothing", "/things/", "//things", "/THINGS", "/things/a/b"])
async def test_routes_unknown_path_is_404(small: SmallService, path: str) -> None:
    answer = await small.call("GET", path)
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/things/", "/v1/small/things"),
        ("//things", "/v1/small/things"),
        ("/THINGS", "/v1/small/things"),
        ("/Things/Zebra-1/", "/v1/small/things/{id}"),
        ("/docs/", "/v1/small/docs"),
        ("/thing", "/v1/small/things"),
        ("/thnigs/zebra", "/v1/small/things/{id}"),
        ("/open_api.json", "/v1/small/openapi.json"),
        ("/Maybe", "/v1/small/maybe"),
        ("/nothing/", None),
        ("/things/a/b", None),
        ("/%FF/", None),
        (f"/things{'z' * 4000}", None),
        ("/" * 4000, None),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_unknown_route_names_the_nearest(
    small: SmallService, path: str, named: str | None
) -> None:
    answer = await small.call("GET", path)
    assert (answer.status, answer.code) == (404, "not_found")
    assert answer.body["detail"] == (f"Did you mean {named}?" if named else "Not found")


@pytest.mark.parametrize("path", ["/things", "/address", "/openapi.json", "/docs", "/broken"])
async def test_head_is_answered_as_get_without_its_body(small: SmallService, path: str) -> None:
    full, head = await small.call("GET", path), await small.call("HEAD", path)
    assert (head.status, head.body) == (full.status, b"")
    for name in ("Content-Type", "Content-Length"):
        assert head.headers.get(name) == full.headers.get(name)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/things", "GET, HEAD, POST"),
        ("DELETE", "/maybe", "POST"),
        ("POST", "/things/x", "GET, HEAD"),
        ("PATCH", "/openapi.json", "GET, HEAD"),
    ],
)
async def test_routes_wrong_method_is_405_with_allow(
    small: SmallService, method: str, path: str, allowed: str
) -> None:
    answer = await small.call(method, path)
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == allowed
    assert answer.body["detail"] == f"This path takes {allowed}"


@pytest.mark.parametrize(
    ("env", "detail"), [("development", "it has expired"), ("production", TokenInvalid.advice)]
)
async def test_developers_alone_are_told_the_reason(
    small_settings: Callable[..., ServiceSettings], env: str, detail: str
) -> None:
    app = small_app(small_settings().model_copy(update={"env": env}))
    async with listening(app, "127.0.0.1", 0) as address, ClientSession(address) as http:
        late = {"Authorization": "Bearer late"}
        answer = await SmallService(http, address).call("GET", "/things/1", headers=late)
    assert (answer.status, answer.code, answer.body["detail"]) == (401, "token_invalid", detail)


@pytest.mark.parametrize(
    "text",
    ["x", "0", "0190c8a012347000800000000000000a", "{0190c8a0-1234-7000-8000-00000000000a}",
     "urn:uuid:0190c8a0-1234-7000-8000-00000000000a", "%00", "%ff", "..%2f", "a" * 4000],
    ids=lambda text: text[:20],
)  # fmt: skip
async def test_routes_malformed_id_is_404(small: SmallService, text: str) -> None:
    raw = f"GET /v1/small/things/{text} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer good\r\n"
    answer = await small.one(f"{raw}Connection: close\r\n\r\n".encode())
    assert (answer.status, answer.code) == (404, "not_found")


async def test_unhandled_error_is_500_and_logged_with_traceback(small: SmallService) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = await small.call("GET", "/broken")
    assert (answer.status, answer.code) == (500, "internal_error")
    assert "text of a bug" not in str(answer.body)
    failed = [event for event in logs if event["event"] == "request.failed"]
    assert [(event["log_level"], event["exc_info"]) for event in failed] == [("error", True)]


async def test_handler_past_its_deadline_is_503(small: SmallService) -> None:
    answer = await small.call("GET", "/late")
    assert (answer.status, answer.code) == (503, "service_unavailable")
    assert answer.headers["Retry-After"] == "1"
    assert answer.body["retry_after"] == 1


async def test_metrics_labels_hold_routes_and_no_client_text(small: SmallService) -> None:
    await small.call("GET", "/zebra")
    await small.call("GET", "/things/zebra?zebra=zebra")
    await small.call("GET", "/things")
    async with small.http.get("/metrics") as answer:
        text = await answer.text()
    assert "zebra" not in text
    assert 'route="/v1/small/things/{id}",status="401"' in text
    assert 'route="unmatched",status="404"' in text
    assert 'http_requests_total{method="GET",route="/v1/small/things",status="200"} 1.0' in text


async def test_openapi_document_and_docs_page_are_served(small: SmallService) -> None:
    document = await small.call("GET", "/openapi.json")
    assert set(document.body["paths"]) >= {"/v1/small/things", "/v1/small/things/{id}"}
    async with small.http.get("/v1/small/docs") as page:
        assert page.content_type == "text/html"
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert 'id="validation_failed"' in await page.text()


async def test_openapi_documents_of_two_applications_differ(
    small: SmallService, small_settings: Callable[..., ServiceSettings]
) -> None:
    fewer = Interface("Another", "/v1/another", ())
    app = build_application(fewer, small_settings(), SystemEntropy(), authenticate)
    async with listening(app, "127.0.0.1", 0) as address, ClientSession(address) as http:
        async with http.get("/v1/another/openapi.json") as answer:
            document = await answer.json()
        async with http.get("/v1/another/docs") as page:
            assert "Another" in await page.text()
    assert (document["info"]["title"], document["paths"]) == ("Another", {})
    assert (await small.call("GET", "/openapi.json")).body["info"]["title"] == "A small service"
