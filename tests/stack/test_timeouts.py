"""How long the gateway waits, for a service and for a client: tried with each wait made short."""

import asyncio
import contextlib
import socket
import time
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.stack.gateway import answered, client_of, gateway, impostor, sent, until_it_listens
from tests.stack.stack import CHECKOUT, Stack
from tests.stack.test_gateway import problem
from tests.stack.test_journey import number
from tests.support.auth_client import AuthClient
from tests.support.media_client import FORM, picture_form
from tests.support.pictures import grain

SHORT_SECONDS, SOON_SECONDS = 1, 8
WAITS = {
    "proxy.conf": ("proxy_read_timeout 180s", "proxy_send_timeout 60s"),
    "routes.conf": ("proxy_read_timeout 35s",),
    "nginx.conf": ("client_body_timeout 40s", "send_timeout 60s", "keepalive_timeout 60s"),
}
SILENT = "import socket, time; held = socket.create_server(('', 8000)); time.sleep(600)"
FILE_PIXELS, FEW_BYTES = 1400, 4096


@pytest.fixture
def short_timeout_configuration(tmp_path: Path) -> dict[Path, str]:
    """The gateway's configuration, but for how long it waits."""
    files = {}
    for name, waits in WAITS.items():
        text = (CHECKOUT / "deploy/gateway" / name).read_text()
        for wait in waits:
            assert f"\n{wait};" in text or f" {wait};" in text
            text = text.replace(wait, f"{wait.split()[0]} {SHORT_SECONDS}s")
        path = tmp_path / name
        path.write_text(text)
        path.chmod(0o444)
        files[path] = f"/etc/nginx/{name}"
    return files


async def test_gateway_silent_service_is_504(
    stack: Stack, short_timeout_configuration: dict[Path, str]
) -> None:
    with (
        impostor(stack, SILENT) as network,
        gateway(stack, network=network, files=short_timeout_configuration) as address,
    ):
        async with client_of(address) as http:
            await until_it_listens(http)
            began = time.monotonic()
            async with asyncio.timeout(SOON_SECONDS):
                body = await problem(http, "GET", "/v1/auth/me")
            assert time.monotonic() - began > SHORT_SECONDS - 0.1
    assert (body["status"], body["code"], body["retry_after"]) == (504, "gateway_timeout", 1)


@pytest.mark.parametrize(
    "said",
    [
        b"POST /v1/auth/signup HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\n{",
        b"GET /page.css HTTP/1.1\r\nHost: here\r\n\r\n",
    ],
    ids=["body", "keep-alive"],
)
async def test_gateway_stalled_client_is_disconnected(
    stack: Stack, short_timeout_configuration: dict[Path, str], said: bytes
) -> None:
    with gateway(stack, files=short_timeout_configuration) as address:
        async with client_of(address):
            pass
        began = time.monotonic()
        async with sent(address, said) as reader, asyncio.timeout(SOON_SECONDS):
            await answered(reader)
        assert time.monotonic() - began > SHORT_SECONDS - 0.1


async def test_gateway_client_that_reads_nothing_is_disconnected(
    stack: Stack, http: ClientSession, short_timeout_configuration: dict[Path, str]
) -> None:
    picture = grain(FILE_PIXELS)
    token = (await AuthClient(http).sign_in(number()))["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    form = BytesIO(picture_form(picture))
    async with http.post("/v1/media/creatives", data=form, headers=bearer | FORM) as answer:
        assert answer.status == 201, await answer.text()
        path = (await answer.json())["file_url"]
    with gateway(stack, files=short_timeout_configuration) as address:
        async with client_of(address):
            pass
        host = address.removeprefix("http://").removesuffix(":8080")
        got = await asyncio.to_thread(download_slowly, host, path, token)
    assert 0 < got < len(picture)


def download_slowly(host: str, path: str, token: str) -> int:
    """Ask for a file, take nothing for longer than the gateway waits; how much comes then."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, FEW_BYTES)
        client.settimeout(SOON_SECONDS)
        client.connect((host, 8080))
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n"
        client.sendall(head.encode())
        begun = client.recv(FEW_BYTES)
        assert b" 200 " in begun.splitlines()[0]
        assert b"X-Content-Type-Options: nosniff" in begun
        time.sleep(3 * SHORT_SECONDS)
        got = len(begun)
        with contextlib.suppress(ConnectionResetError):  # as it is done with who is late
            while data := client.recv(1 << 20):
                got += len(data)
        return got
