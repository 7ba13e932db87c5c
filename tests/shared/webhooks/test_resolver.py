"""Names that users choose: long ones, and those whose name server never answers."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from shared.clock import SystemClock
from shared.webhooks.resolver import MAX_ADDRESSES
from shared.webhooks.sender import open_sender
from tests.shared.webhooks.conftest import MESSAGE, POLICY, SECRET, Posting
from tests.support.webhook_receiver import HOST, Receiver

REAL = socket.getaddrinfo
TCP = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")


@pytest.fixture
def silent_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lets each look-up below `silent.example` hang until the test ends."""
    ended = threading.Event()

    def look_up(host: str, port: int, *args: Any, **options: Any) -> list[Any]:
        if host.endswith("silent.example"):
            ended.wait(30)
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return [(*TCP, (HOST, port))] if host == "receiver.example" else REAL(host, port, *args)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield
    ended.set()


@pytest.mark.parametrize(
    "host",
    ["no-such-name.invalid", f"{'a' * 64}.example", "a..example", "\N{SNOWMAN}" * 60 + ".example"],
)
async def test_name_that_does_not_resolve_fails_by_name(post: Posting, host: str) -> None:
    assert (await post(f"http://{host}/")).error in {"name_not_resolved", "address_refused"}


async def test_name_server_that_never_answers_holds_up_no_other_name(
    receiver: Receiver, silent_server: None
) -> None:
    async with open_sender(POLICY, 20, SystemClock()) as sender:
        hanging = [
            asyncio.create_task(sender.attempt(f"http://{n}.silent.example/", MESSAGE, [SECRET]))
            for n in range(50)
        ]
        await asyncio.sleep(0.1)
        url = f"http://receiver.example:{receiver.port}/"
        healthy = asyncio.create_task(sender.attempt(url, MESSAGE, [SECRET]))
        look_up = asyncio.ensure_future(asyncio.get_running_loop().getaddrinfo("127.0.0.1", 1))
        _, unfinished = await asyncio.wait({healthy, look_up}, timeout=10)
        for task in (*hanging, *unfinished):
            task.cancel()
        await asyncio.gather(*hanging, *unfinished, return_exceptions=True)
    assert not unfinished
    assert healthy.result().delivered


async def test_name_server_that_never_answers_is_a_timeout(silent_server: None) -> None:
    async with open_sender(POLICY, 0.3, SystemClock()) as sender:
        attempt = await sender.attempt("http://silent.example/", MESSAGE, [SECRET])
    assert attempt.error == "timeout"


async def test_name_with_many_addresses_makes_few_connections(
    post: Posting, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def look_up(_host: str, port: int, *_args: Any, **_options: Any) -> list[Any]:
        return [(*TCP, (f"10.0.0.{number}", port)) for number in range(1, 200)]

    def refuse(_policy: object, info: Any) -> socket.socket:
        tried.append(info[4][0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr("shared.webhooks.destination.DestinationPolicy.open_socket", refuse)
    async with open_sender(POLICY, 5, SystemClock()) as sender:
        await sender.attempt("http://receiver.example/", MESSAGE, [SECRET])
    assert len(set(tried)) == MAX_ADDRESSES
