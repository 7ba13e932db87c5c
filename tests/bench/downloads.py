"""A stored file through the gateway, beside the same file from an nginx that does nothing else."""

import asyncio
import secrets
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

from aiohttp import ClientSession

from tests.bench.bench import Bench
from tests.bench.child import BenchError
from tests.bench.table import Figure, ratios
from tests.bench.uploading import MIB, photograph
from tests.stack.stack import Stack, engine_missing
from tests.stack.test_journey import number
from tests.support.auth_client import AuthClient
from tests.support.media_client import FORM, picture_form

NAME = "download behind the gateway"
SHARE = 0.95
AT_ONCE = 4
REQUESTS_A_CONNECTION = 500  # nginx ends one after 1,000
PORT = 8080
PIECE_BYTES = 1 << 20
S = TypeVar("S", bytes, int)
ALONE = """
user root;
pid /tmp/nginx.pid;
worker_processes auto;
events {}
http {
    access_log off;
    sendfile on;
    tcp_nopush on;
    server { listen 8080; root /files; }
}
"""


@dataclass(frozen=True)
class Place:
    """A file at an address, and who may have it."""

    host: str
    path: str
    token: str = "none"

    def request(self) -> bytes:
        lines = (
            f"GET {self.path} HTTP/1.1",
            f"Host: {self.host}",
            f"Authorization: Bearer {self.token}",
        )
        return "\r\n".join((*lines, "", "")).encode()


def take(client: socket.socket, request: bytes, buffer: bytearray) -> int:
    """Ask for a file and take all of it; returns its bytes."""
    client.sendall(request)
    head = b""
    while b"\r\n\r\n" not in head:
        head += _some(client.recv(PIECE_BYTES))
    said, _, begun = head.partition(b"\r\n\r\n")
    status, *headers = said.decode().split("\r\n")
    if " 200 " not in status:
        raise BenchError(f"a download was answered {status}")
    length = next(int(line[15:]) for line in headers if line.lower().startswith("content-length:"))
    left = length - len(begun)
    while left:
        left -= _some(client.recv_into(buffer, min(left, len(buffer))))
    return length


def _some(received: S) -> S:
    if not received:
        raise BenchError("a download ended early")
    return received


def _client(place: Place, until: float) -> int:
    buffer, taken = bytearray(PIECE_BYTES), 0
    while time.perf_counter() < until:
        with socket.create_connection((place.host, PORT), timeout=10) as client:
            for _ in range(REQUESTS_A_CONNECTION):
                taken += take(client, place.request(), buffer)
                if time.perf_counter() >= until:
                    break
    return taken


def rate(place: Place, seconds: float) -> float:
    """MiB a second of a few clients who take it again and again."""
    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as clients:
        taken = sum(clients.map(_client, [place] * AT_ONCE, [began + seconds] * AT_ONCE))
    return taken / MIB / (time.perf_counter() - began)


async def _stored(stack: Stack) -> Place:
    async with ClientSession(stack.address) as http:
        pair = await AuthClient(http).sign_in(number())
        token = pair["access_token"]
        headers = {"Authorization": f"Bearer {token}", **FORM}
        data = picture_form(await asyncio.to_thread(photograph))
        async with http.post("/v1/media/creatives", data=data, headers=headers) as answer:
            if answer.status != 201:
                raise BenchError(f"an upload was answered {answer.status}: {await answer.text()}")
            made = await answer.json()
    networks = stack.one("gateway").attrs["NetworkSettings"]["Networks"]
    return Place(networks[stack.network("edge")]["IPAddress"], made["file_url"], token)


@contextmanager
def _alone(stack: Stack, configuration: Path) -> Iterator[Place]:
    """The same image and the same volume, and a configuration of nothing but files."""
    configuration.write_text(ALONE)
    configuration.chmod(0o444)
    _, said = stack.execute(stack.one("media_service"), "find", "/files", "-name", "original")
    network = stack.network("edge")
    container = stack.engine.containers.run(
        stack.image("gateway"),
        ["nginx", "-g", "daemon off;"],
        entrypoint=[],
        user="0",
        labels=stack.labels,
        network=network,
        volumes=[f"{configuration}:/etc/nginx/nginx.conf:ro", f"{stack.project}_files:/files:ro"],
        detach=True,
    )
    try:
        container.reload()
        host = container.attrs["NetworkSettings"]["Networks"][network]["IPAddress"]
        yield Place(host, said.decode().strip().removeprefix("/files"))
    finally:
        container.remove(force=True)


async def download(bench: Bench) -> list[Figure]:
    """MiB a second of a 10 MiB file; needs a Docker engine, and builds the stack's images."""
    if missing := engine_missing():
        return [Figure(NAME, f"not measured: {missing}", target=f"≥ {SHARE:.0%}")]
    stack = Stack(f"cheershare-bench-{secrets.token_hex(4)}")
    try:
        await asyncio.to_thread(stack.up)
        behind = await _stored(stack)
        with _alone(stack, bench.stack.folder / "nginx.conf") as alone:
            seconds = bench.options.seconds
            await asyncio.to_thread(_ready, alone)
            pairs = [
                (rate(alone, seconds), rate(behind, seconds))
                for _ in range(bench.options.rounds + 1)
            ]
    finally:
        await asyncio.to_thread(stack.down)
    floor, mine = zip(*pairs[1:], strict=True)  # the first round warms up
    share = ratios(mine, floor)
    return [
        Figure(
            NAME,
            f"{median(mine):,.0f} MiB/s",
            floor=f"{median(floor):,.0f} MiB/s",
            ratio=f"{share:.0%} of nginx alone",
            target=f"≥ {SHARE:.0%}",
            met=share >= SHARE,
            raw={"mib_per_second": mine, "alone": floor, "ratio": share},
        )
    ]


def _ready(place: Place) -> None:
    def listens() -> bool:
        try:
            with socket.create_connection((place.host, PORT), timeout=1):
                return True
        except OSError:
            return False

    Stack.until(listens, "nginx does not listen", 10)
