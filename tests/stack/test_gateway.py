"""What the gateway lets in, how much of it, and how it says no."""

import json
from typing import Any

import pytest
from aiohttp import ClientSession
from docker.errors import ContainerError

from tests.stack.gateway import (
    answered,
    client_of,
    gateway,
    impostor,
    sent,
    until_it_listens,
)
from tests.stack.stack import Stack
from tests.stack.test_journey import number
from tests.support.auth_client import AuthClient

ECHO = """
import http.server, json
class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(dict(self.headers)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(("", 8000), Echo).serve_forever()
"""
STRANGER = """
import urllib.error, urllib.request
url = "http://gateway:8080/v1/auth/dev/inbox?to=%2B919876543210"
request = urllib.request.Request(url, headers={"Host": "127.0.0.1", "X-Forwarded-For": "127.0.0.1"})
try:
    print(urllib.request.urlopen(request).status)
except urllib.error.HTTPError as refused:
    print(refused.code)
"""
PROBLEM = "application/problem+json"


async def problem(http: ClientSession, method: str, path: str, **options: Any) -> dict[str, Any]:
    """Send what is refused; return the answer's body, checked to be a problem with an id."""
    async with http.request(method, path, **options) as answer:
        assert answer.headers["Content-Type"] == PROBLEM, await answer.text()
        body: dict[str, Any] = await answer.json(content_type=None)
        assert body["status"] == answer.status
        assert body["request_id"] == answer.headers["X-Request-ID"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        return body


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/healthz",
        "/readyz",
        "/v1/auth/dev/",
        "/v1/auth/dev/outbox",
        "/v1/auth/../../metrics",
        "/v1/auth/%2e%2e/%2e%2e/metrics",
        "/v1/media/..%2f..%2freadyz",
        "//metrics",
        "/.problem",
        "/nginx.conf",
        "/v2/auth/me",
    ],
)
async def test_gateway_internal_paths_are_404(stack: Stack, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
    async with sent(stack.address, request.encode()) as reader:
        said = await answered(reader)
    head, _, body = said.partition(b"\r\n\r\n")
    assert b" 404 " in head.splitlines()[0]
    assert json.loads(body)["code"] == "not_found"


async def test_gateway_serves_start_page_and_documents(stack: Stack, http: ClientSession) -> None:
    async with http.get("/") as page:
        text = await page.text()
        assert (page.status, page.content_type) == (200, "text/html")
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert f"{stack.public_url}/v1/auth/signup" in text
        assert "{{" not in text
    for path in (
        "/console",
        "/console.js",
        "/icon.svg",
        "/page.css",
        "/v1/auth/docs",
        "/v1/media/docs",
    ):
        async with http.get(path) as answer:
            assert answer.status == 200, path
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_gateway_errors_are_problems(http: ClientSession) -> None:
    async def code(method: str, path: str, **options: Any) -> tuple[int, str]:
        body = await problem(http, method, path, **options)
        return body["status"], body["code"]

    assert await code("GET", "/nothing") == (404, "not_found")
    assert await code("POST", "/", data=b"x") == (405, "method_not_allowed")
    assert await code("GET", "/", headers={"X": "x" * 9000}) == (431, "headers_too_large")
    assert await code("GET", "/" + "x" * 9000) == (431, "headers_too_large")


@pytest.mark.parametrize("env", ["production", "development"])
async def test_gateway_error_is_readable_for_listed_pages(stack: Stack, env: str) -> None:
    app, local, foreign = "https://app.example", "http://localhost:5173", "http://localhost.evil:80"
    listed = f"{app}/, http://[::1]:3000"
    with gateway(stack, CORS_ORIGINS=listed, ENV=env) as address:
        async with client_of(address) as http:
            for origin in (app, "http://[::1]:3000", local, foreign, "null"):
                async with http.get("/nothing", headers={"Origin": origin}) as answer:
                    allowed = answer.headers.get("Access-Control-Allow-Origin")
                    assert answer.headers["Vary"] == "Origin"
                    assert ("Access-Control-Allow-Credentials" in answer.headers) is bool(allowed)
                readable = origin in listed or (origin == local and env == "development")
                assert allowed == (origin if readable else None), origin


async def test_preflights_spend_nothing_of_the_requests_limit(stack: Stack) -> None:
    asks = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    with gateway(stack, GATEWAY_RATE="2") as address:
        async with client_of(address) as http:
            statuses = [(await http.options("/nothing", headers=asks)).status for _ in range(20)]
            assert 429 in statuses
            assert (await http.get("/nothing")).status == 404


@pytest.mark.parametrize("path", ["/v1/media/creatives", "/v1/auth/signup"])
async def test_gateway_body_too_large_is_413_while_it_is_sent(stack: Stack, path: str) -> None:
    body = bytes(13 * 1024 * 1024)
    head = f"POST {path} HTTP/1.1\r\nHost: here\r\nContent-Length: {len(body)}\r\n\r\n"
    async with sent(stack.address, head.encode() + body) as reader:
        answer = await answered(reader)
    assert b" 413 " in answer.splitlines()[0]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "body_too_large"


@pytest.mark.parametrize("said", [b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"])
async def test_gateway_malformed_request_is_400_problem(stack: Stack, said: bytes) -> None:
    async with sent(stack.address, said) as reader:
        answer = await answered(reader)
    assert b" 400 " in answer.splitlines()[0]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "malformed_request"


@pytest.mark.parametrize("given", ["my-request.id_1", "short", "x" * 65, "not an id!"])
async def test_request_id_valid_is_kept_end_to_end(http: ClientSession, given: str) -> None:
    for path in ("/v1/auth/me", "/nothing"):
        body = await problem(http, "GET", path, headers={"X-Request-ID": given})
        assert (body["request_id"] == given) is (given == "my-request.id_1")


async def test_forged_forwarding_headers_do_not_change_the_client_address(
    http: ClientSession,
) -> None:
    forged = {
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Proto": "gopher",
        "X-Forwarded-Host": "evil.example",
        "X-Real-IP": "203.0.113.7",
        "Forwarded": "for=203.0.113.7",
    }
    auth = AuthClient(http)
    pair = await auth.sign_in(number(), headers=forged)
    found = await auth.call("GET", "/sessions", token=pair["access_token"])
    assert [item["ip"] for item in found.body["items"]] == ["127.0.0.1"]


async def test_gateway_replaces_forged_forwarding_headers(stack: Stack) -> None:
    forged = {
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Proto": "gopher",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "1",
        "X-Real-IP": "203.0.113.7",
        "Forwarded": "for=203.0.113.7",
        "Proxy": "http://evil.example",
    }
    with impostor(stack, ECHO) as network, gateway(stack, network=network) as address:
        async with client_of(address) as http:
            await until_it_listens(http)
            async with http.get("/v1/auth/me", headers=forged) as answer:
                arrived = await answer.json()
    assert set(arrived) & set(forged) == {"X-Forwarded-For", "X-Forwarded-Proto"}
    assert arrived["X-Forwarded-For"] != forged["X-Forwarded-For"]
    assert arrived["X-Forwarded-Proto"] == "http"


async def test_gateway_forwards_well_known_files_alone(stack: Stack) -> None:
    with impostor(stack, ECHO) as network, gateway(stack, network=network) as address:
        async with client_of(address) as http:
            await until_it_listens(http)
            for name in ("jwks.json", "assetlinks.json", "apple-app-site-association"):
                async with http.get(f"/.well-known/{name}") as answer:
                    assert (answer.status, answer.content_type) == (200, "application/json"), name
            for name in ("jwksXjson", "jwks.json/x", "security.txt", ""):
                async with http.get(f"/.well-known/{name}") as answer:
                    assert answer.status == 404, name


def test_dev_inbox_from_another_container_is_404(stack: Stack) -> None:
    """Not for who comes from elsewhere, whatever they say; here, from another container."""
    said = stack.execute(stack.one("media_service"), "python", "-c", STRANGER)
    assert said == (0, b"404\n")


@pytest.mark.parametrize(
    ("setting", "given"),
    [
        ("GATEWAY_RATE", "abc"),
        ("GATEWAY_RATE", "0"),
        ("GATEWAY_CONNECTIONS", "-1"),
        ("GATEWAY_BODY_LIMIT", "5MB"),
    ],
)
def test_gateway_invalid_setting_is_named(stack: Stack, setting: str, given: str) -> None:
    told = {"GATEWAY_RATE": "1", "GATEWAY_CONNECTIONS": "1", "GATEWAY_BODY_LIMIT": "1"}
    with pytest.raises(ContainerError) as refused:
        stack.engine.containers.run(
            stack.image("gateway"),
            environment=told | {setting: given},
            labels=stack.labels,
            network_mode="none",
            remove=True,
        )
    said = str(refused.value)
    assert f"settings: {setting}: expected " in said
    assert f"(given: '{given}')" in said


async def test_gateway_without_services_is_502_problem(stack: Stack) -> None:
    name = f"{stack.project}_alone"
    alone = stack.engine.networks.create(name, labels=stack.labels)
    try:
        with gateway(stack, network=name) as address:
            async with client_of(address) as http:
                body = await problem(http, "GET", "/v1/media/creatives")
    finally:
        alone.remove()
    assert (body["status"], body["code"], body["retry_after"]) == (502, "bad_gateway", 1)


async def test_gateway_log_shows_request_without_secrets(stack: Stack, http: ClientSession) -> None:
    given = {"X-Request-ID": "looked-for-in-the-log"}
    path = "/nothing" + "/x" * 500
    await problem(http, "POST", f"{path}?to=%2B919876543210&signature=s3cr3t", headers=given)

    def lines() -> list[str]:
        return stack.one("gateway").logs(tail=50).decode().splitlines()

    stack.until(lambda: any(given["X-Request-ID"] in line for line in lines()), "not logged", 5)
    [line] = [line for line in lines() if given["X-Request-ID"] in line]
    said = json.loads(line)
    assert (said["method"], said["path"], said["status"]) == ("POST", path[:200], 404)
    assert said["client"] == "127.0.0.1"
    assert "s3cr3t" not in line
    assert "9876543210" not in line


async def test_gateway_serves_a_feed_and_logs_no_token(stack: Stack, http: ClientSession) -> None:
    pair = await AuthClient(http).sign_in(number())
    token = {"Authorization": f"Bearer {pair['access_token']}"}
    async with http.post("/v1/media/feed", headers=token) as made:
        address = (await made.json())["url"]
    path = address.removeprefix(stack.public_url)
    given = {"X-Request-ID": "looked-for-with-a-feed"}
    async with http.get(path, headers=given) as calendar:
        assert calendar.status == 200
        assert (await calendar.text()).startswith("BEGIN:VCALENDAR")

    def lines() -> list[str]:
        return stack.one("gateway").logs(tail=50).decode().splitlines()

    stack.until(lambda: any(given["X-Request-ID"] in line for line in lines()), "not logged", 5)
    [line] = [line for line in lines() if given["X-Request-ID"] in line]
    assert json.loads(line)["path"] == "/v1/media/feed/[redacted]"
    assert path.rpartition("chf_")[2] not in "\n".join(lines())
