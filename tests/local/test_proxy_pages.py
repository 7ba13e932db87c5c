"""What the proxy answers by itself: readiness, the start page, the key set, its own end."""

import asyncio
import re
from pathlib import Path

import pytest
from aiohttp import ClientSession
from yarl import URL

from deploy.local.proxy import PAGE_DIR, create_proxy
from shared.origins import AllowedOrigins
from shared.server import Lifecycle, listening
from tests.local.conftest import RunningProxy


async def test_readyz_both_services_ready_is_200(
    client: ClientSession, proxy: RunningProxy
) -> None:
    async with client.get(f"{proxy.url}/readyz") as answer:
        assert answer.status == 200
        assert (await answer.json())["checks"] == {"auth_service": True, "media_service": True}
    proxy.media.ready = False
    async with client.get(f"{proxy.url}/readyz") as answer:
        assert answer.status == 503
        assert (await answer.json())["checks"] == {"auth_service": True, "media_service": False}
    async with client.get(f"{proxy.url}/healthz") as answer:
        assert answer.status == 200


async def test_start_page_is_served(client: ClientSession, proxy: RunningProxy) -> None:
    async with client.get(proxy.url) as answer:
        text = await answer.text()
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "Server" not in answer.headers
    assert "http://localhost/v1/auth/signup" in text
    assert "make demo BASE_URL=http://localhost<" in text
    assert "{{" not in text
    assert "<script" not in text
    assert "style=" not in text, "the policy forbids it"
    async with client.get(f"{proxy.url}/page.css") as answer:
        assert answer.content_type == "text/css"
        assert "prefers-color-scheme" in await answer.text()
    async with client.get(f"{proxy.url}/icon.svg") as answer:
        assert answer.content_type == "image/svg+xml"
        assert (await answer.text()).startswith("<svg")


async def test_console_policy_allows_only_its_script(
    client: ClientSession, proxy: RunningProxy
) -> None:
    async with client.get(f"{proxy.url}/console") as answer:
        policy = answer.headers["Content-Security-Policy"].split("; ")
        text = await answer.text()
    assert {"default-src 'none'", "script-src 'self'", "connect-src 'self'"} <= set(policy)
    assert text.count("<script") == text.count('<script type="module" src="/console.js">') == 1
    async with client.get(f"{proxy.url}/console.js") as answer:
        assert answer.content_type == "text/javascript"
        assert "innerHTML" not in await answer.text(), "what users write must stay text"


@pytest.mark.parametrize("name", ["jwks.json", "assetlinks.json", "apple-app-site-association"])
async def test_well_known_path_is_forwarded_to_auth_service(
    client: ClientSession, proxy: RunningProxy, name: str
) -> None:
    async with client.get(f"{proxy.url}/.well-known/{name}") as answer:
        assert (await answer.json())["target"] == f"/.well-known/{name}"


@pytest.mark.parametrize("path", ["//v1/media/near", "/v1//media/near", "/V1/Media/near"])
async def test_path_misspelled_in_case_or_slashes_is_forwarded_unchanged(
    client: ClientSession, proxy: RunningProxy, path: str
) -> None:
    async with client.get(URL(f"{proxy.url}{path}", encoded=True)) as answer:
        assert answer.status == 200, "the service, which knows the near route, answers 404"
        assert (await answer.json())["target"] == path


async def test_proxy_hanging_request_does_not_delay_the_end(sockets: Path) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        entered.set()
        while await reader.read(1024):
            pass
        writer.close()

    entered = asyncio.Event()
    media = sockets / "media.sock"
    service = await asyncio.start_unix_server(hang, media)
    proxy = create_proxy(sockets / "auth.sock", media, AllowedOrigins("http://localhost"))
    async with asyncio.timeout(5):
        async with listening(proxy, "127.0.0.1", 0, lifecycle=Lifecycle(grace=0.5)) as address:
            port = int(address.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /v1/media/x HTTP/1.1\r\nHost: x\r\n\r\n")
            await entered.wait()
        assert await reader.read() == b""
    writer.close()
    service.close()


def test_pages_hold_no_placeholder_but_the_url() -> None:
    """The gateway, which shows the same pages, fills in no more."""
    for page in PAGE_DIR.iterdir():
        assert set(re.findall(r"{{.*?}}", page.read_text())) <= {"{{ url }}"}, page
