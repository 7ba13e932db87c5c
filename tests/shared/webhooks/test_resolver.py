"""Names that users choose: long ones, internal ones, and those whose name server never answers."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from shared.clock import SystemClock
from shared.webhooks.resolver import MAX_ADDRESSES, OTHER_SHARE, ThreadedResolver
from shared.webhooks.sender import WebhookSender, open_sender
from tests.shared.webhooks.conftest import MESSAGE, POLICY, SECRET, Posting
from tests.support.waiting import until
from tests.support.webhook_receiver import HOST, Receiver

REAL = socket.getaddrinfo
TCP = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")


@dataclass
class NameServer:
    """Knows `receiver.example`, and never answers about names of `silent.example`."""

    silent: tuple[str, ...] = ("silent.example.",)
    asked: list[str] = field(default_factory=list)
    answered: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def look_up(self, host: str, port: int | None, *args: Any, **options: Any) -> list[Any]:
        self.asked.append(host)
        if host.endswith(self.silent):
            self.ended.wait(30)
            self.answered += 1
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        self.answered += 1
        if host in {"receiver.example.", "new.example."}:
            return [(*TCP, (HOST, port))]
        return REAL(host, port, *args)


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    server = NameServer()
    monkeypatch.setattr(socket, "getaddrinfo", server.look_up)
    yield server
    server.ended.set()


@pytest.mark.parametrize(
    "host",
    ["no-such-name.invalid", f"{'a' * 64}.example", "a..example", "\N{SNOWMAN}" * 60 + ".example"],
)
async def test_name_that_does_not_resolve_fails_by_name(post: Posting, host: str) -> None:
    assert (await post(f"http://{host}/")).error in {"name_not_resolved", "address_refused"}


async def attempt_all(sender: WebhookSender, *hosts: str) -> set[str | None]:
    """Make an attempt to each host at once; return their errors."""
    urls = [f"http://{host}/" for host in hosts]
    attempts = await asyncio.gather(*(sender.attempt(url, MESSAGE, [SECRET]) for url in urls))
    return {attempt.error for attempt in attempts}


async def test_names_without_an_answer_hold_up_no_quick_name_after_their_attempts(
    receiver: Receiver, name_server: NameServer
) -> None:
    concurrency = 5
    silent = [f"{number}.silent.example" for number in range(15 * concurrency)]
    async with open_sender(POLICY, 1, SystemClock(), concurrency) as sender:
        receiver_host = f"receiver.example:{receiver.port}"
        assert await attempt_all(sender, receiver_host) == {None}
        assert await attempt_all(sender, *silent) == {"timeout", "name_not_resolved"}
        look_ups = [name for name in name_server.asked if name.endswith(".silent.example.")]
        assert len(look_ups) == OTHER_SHARE * concurrency
        assert await attempt_all(sender, receiver_host, f"new.example:{receiver.port}") == {
            None,
            "name_not_resolved",
        }
        assert len(receiver.requests) == 2


async def test_names_without_an_answer_hold_up_no_name_while_few_hosts_have_them(
    receiver: Receiver, name_server: NameServer
) -> None:
    async with open_sender(POLICY, 1, SystemClock(), 1) as sender:
        for _ in range(2):  # the look-ups of the first ones go on
            hosts = ["silent.example"] * 20 + ["a.silent.example."] * 20
            assert await attempt_all(sender, *hosts) == {"timeout"}
        assert sorted(name_server.asked) == ["a.silent.example.", "silent.example."]
        assert await attempt_all(sender, f"receiver.example:{receiver.port}") == {None}


async def test_name_that_was_quick_and_fell_silent_is_quick_no_more(
    receiver: Receiver, name_server: NameServer
) -> None:
    host = f"receiver.example:{receiver.port}"
    async with open_sender(POLICY, 0.5, SystemClock(), 1) as sender:
        assert await attempt_all(sender, host) == {None}
        name_server.silent += ("receiver.example.",)
        assert await attempt_all(sender, host) == {"timeout"}
        name_server.ended.set()
        await until(lambda: name_server.answered == len(name_server.asked))
        name_server.ended.clear()
        silent = [f"{number}.silent.example" for number in range(OTHER_SHARE)]
        assert await attempt_all(sender, *silent) == {"timeout"}
        assert await attempt_all(sender, host) == {"name_not_resolved"}


async def test_name_look_up_leaves_the_loops_own_threads_free(name_server: NameServer) -> None:
    async with open_sender(POLICY, 20, SystemClock(), 50) as sender:
        silent = [f"{number}.silent.example" for number in range(50)]
        hanging = asyncio.create_task(attempt_all(sender, *silent))
        await until(lambda: name_server.asked)
        other = asyncio.create_task(asyncio.to_thread(int))
        done, _ = await asyncio.wait({other}, timeout=10)
        name_server.ended.set()
        await asyncio.gather(hanging, other)
    assert done


@pytest.mark.parametrize(
    ("internal_names", "asked"),
    [(False, {"a.example."}), (True, {"a.example", "a.example.", "redis"})],
)
async def test_name_is_looked_up_as_a_whole_but_where_internal_names_count(
    name_server: NameServer, asked: set[str], *, internal_names: bool
) -> None:
    policy = replace(POLICY, internal_names=internal_names)
    async with open_sender(policy, 5, SystemClock(), 50) as sender:
        name_server.silent, name_server.ended = ("",), threading.Event()
        name_server.ended.set()
        await attempt_all(sender, "a.example", "A.example.", "redis")
    assert set(name_server.asked) == asked


async def test_sender_after_its_block_looks_up_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    def open_resolver(*parameters: Any) -> ThreadedResolver:
        opened.append(ThreadedResolver(*parameters))
        return opened[-1]

    monkeypatch.setattr("shared.webhooks.sender.ThreadedResolver", open_resolver)
    async with open_sender(POLICY, 5, SystemClock(), 50):
        pass
    with pytest.raises(RuntimeError):
        await opened[0].resolve("receiver.example")


async def test_name_with_many_addresses_makes_few_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = []

    def look_up(_host: str, port: None, *_args: Any, **_options: Any) -> list[Any]:
        return [(*TCP, (f"1.1.1.{number}", port)) for number in range(1, 200)]

    def refuse(_policy: object, info: Any) -> socket.socket:
        tried.append(info[4][0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr("shared.webhooks.destination.DestinationPolicy.open_socket", refuse)
    async with open_sender(POLICY, 5, SystemClock(), 50) as sender:
        await sender.attempt("http://receiver.example/", MESSAGE, [SECRET])
    assert len(set(tried)) == MAX_ADDRESSES
