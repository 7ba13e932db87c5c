"""What the front answers by itself: readiness, the start page, the key set, its own end."""

import asyncio
import re
from pathlib import Path

from aiohttp import ClientSession

from deploy.local.proxy import PAGE_DIR, create_proxy
from shared.shutdown import listening
from tests.local.conftest import Front


async def test_ready_when_both_services_are(client: ClientSession, front: Front) -> None:
    async with client.get(f"{front.url}/readyz") as answer:
        assert answer.status == 200
        assert (await answer.json())["checks"] == {"auth_service": True, "media_service": True}
    front.media.ready = False
    async with client.get(f"{front.url}/readyz") as answer:
        assert answer.status == 503
        assert (await answer.json())["checks"] == {"auth_service": True, "media_service": False}
    async with client.get(f"{front.url}/healthz") as answer:
        assert answer.status == 200


async def test_start_page(client: ClientSession, front: Front) -> None:
    async with client.get(front.url) as answer:
        text = await answer.text()
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "Server" not in answer.headers
    assert "http://localhost/v1/auth/signup" in text
    assert "make demo BASE_URL=http://localhost<" in text
    assert "{{" not in text
    assert "<script" not in text
    assert "style=" not in text, "the policy forbids it"
    async with client.get(f"{front.url}/page.css") as answer:
        assert answer.content_type == "text/css"
        assert "prefers-color-scheme" in await answer.text()
    async with client.get(f"{front.url}/icon.svg") as answer:
        assert answer.content_type == "image/svg+xml"
        assert (await answer.text()).startswith("<svg")


async def test_console_runs_its_own_script_alone(client: ClientSession, front: Front) -> None:
    async with client.get(f"{front.url}/console") as answer:
        policy = answer.headers["Content-Security-Policy"].split("; ")
        text = await answer.text()
    assert {"default-src 'none'", "script-src 'self'", "connect-src 'self'"} <= set(policy)
    assert text.count("<script") == text.count('<script type="module" src="/console.js">') == 1
    async with client.get(f"{front.url}/console.js") as answer:
        assert answer.content_type == "text/javascript"
        assert "innerHTML" not in await answer.text(), "what users write must stay text"


async def test_key_set_is_auth_services(client: ClientSession, front: Front) -> None:
    async with client.get(f"{front.url}/.well-known/jwks.json") as answer:
        assert (await answer.json())["target"] == "/.well-known/jwks.json"


async def test_request_in_hand_does_not_hold_up_the_end(sockets: Path) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        entered.set()
        while await reader.read(1024):
            pass
        writer.close()

    entered = asyncio.Event()
    media = sockets / "media.sock"
    service = await asyncio.start_unix_server(hang, media)
    front = create_proxy(sockets / "auth.sock", media, "http://localhost")
    async with asyncio.timeout(5):
        async with listening(front, "127.0.0.1", 0, grace=0.5) as address:
            port = int(address.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /v1/media/x HTTP/1.1\r\nHost: x\r\n\r\n")
            await entered.wait()
        assert await reader.read() == b""
    writer.close()
    service.close()


def test_pages_leave_nothing_open_but_the_address() -> None:
    """The gateway, which shows the same pages, fills in no more."""
    for page in PAGE_DIR.iterdir():
        assert set(re.findall(r"{{.*?}}", page.read_text())) <= {"{{ url }}"}, page
