"""No packet goes to a refused address: as a literal, by a name, by rebinding, by a redirect.

A listener on every address of this machine counts connections. For the other addresses an audit
hook sees each call of `connect`, which comes before the first packet.
"""

import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import pytest

from shared.clock import SystemClock
from shared.webhooks.destination import DestinationPolicy
from shared.webhooks.resolver import ThreadedResolver
from shared.webhooks.sender import open_sender
from tests.shared.webhooks.conftest import MESSAGE, SECRET, Posting
from tests.support.webhook_addresses import LEGACY_LITERALS, REFUSED_ADDRESSES
from tests.support.webhook_receiver import Receiver, answering, open_receiver

NAME = "receiver.example"
LOCAL_FORMS = ["127.0.0.1", "127.255.255.254", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1"]  # noqa: S104
refused_addresses = pytest.mark.parametrize(
    "address", REFUSED_ADDRESSES.values(), ids=REFUSED_ADDRESSES
)


@dataclass
class Connects:
    """The hosts that this process has connected sockets to, while it is `recording`."""

    recording: bool = False
    hosts: list[str] = field(default_factory=list)

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.recording and event == "socket.connect" and isinstance(arguments[1], tuple):
            self.hosts.append(str(arguments[1][0]))


@pytest.fixture(scope="session")
def audit_hook() -> Connects:
    connects = Connects()
    sys.addaudithook(connects.hook)  # it stays until the process ends
    return connects


@pytest.fixture
def connects(audit_hook: Connects) -> Iterator[Connects]:
    audit_hook.hosts.clear()
    audit_hook.recording = True
    yield audit_hook
    audit_hook.recording = False


@pytest.fixture
async def everywhere() -> AsyncIterator[Receiver]:
    """Listens on every address of this machine, IPv4 and IPv6."""
    raw = socket.socket(socket.AF_INET6)
    raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    raw.bind(("::", 0))
    async with open_receiver(sock=raw) as opened:
        yield opened


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has `NAME` resolve to the given addresses, one at each look-up; the last one stays."""

    def answer(*addresses: str) -> None:
        left = list(addresses)

        def look_up(host: str, port: None, *_args: object, **_options: object) -> list[Any]:
            assert host == f"{NAME}."
            address = left.pop(0) if len(left) > 1 else left[0]
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            where = (address, port, 0, 0) if ":" in address else (address, port)
            return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", where)]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    return answer


def url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


@refused_addresses
async def test_literal_refused_address_gets_no_packet(
    post: Posting, everywhere: Receiver, connects: Connects, address: str
) -> None:
    attempt = await post(url(address, everywhere.port))
    assert (attempt.error, attempt.status_code) == ("address_refused", None)
    assert (connects.hosts, everywhere.connections) == ([], 0)


@refused_addresses
async def test_name_of_a_refused_address_gets_no_packet(
    post: Posting,
    everywhere: Receiver,
    connects: Connects,
    names: Callable[..., None],
    address: str,
) -> None:
    names(address)
    attempt = await post(url(NAME, everywhere.port))
    assert (attempt.error, attempt.status_code) == ("address_refused", None)
    assert (connects.hosts, everywhere.connections) == ([], 0)


@refused_addresses
async def test_name_that_rebinds_to_a_refused_address_gets_no_packet(
    post: Posting,
    everywhere: Receiver,
    connects: Connects,
    names: Callable[..., None],
    address: str,
) -> None:
    names("127.0.0.77", address)
    assert (await post(url(NAME, everywhere.port))).delivered
    attempt = await post(url(NAME, everywhere.port))
    assert (attempt.error, attempt.status_code) == ("address_refused", None)
    assert (connects.hosts, everywhere.connections) == (["127.0.0.77"], 1)


@refused_addresses
async def test_redirect_to_a_refused_address_gets_no_packet(
    post: Posting, receiver: Receiver, everywhere: Receiver, connects: Connects, address: str
) -> None:
    receiver.respond = answering(307, b"", f"Location: {url(address, everywhere.port)}")
    attempt = await post(receiver.url)
    assert (attempt.delivered, attempt.status_code) == (False, 307)
    assert (connects.hosts, everywhere.connections) == (["127.0.0.77"], 0)


@pytest.fixture
def permitting_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ThreadedResolver, "_permits", lambda *_: True)


@refused_addresses
@pytest.mark.usefixtures("permitting_resolver")
async def test_socket_of_a_refused_address_gets_no_packet(
    post: Posting,
    everywhere: Receiver,
    connects: Connects,
    names: Callable[..., None],
    address: str,
) -> None:
    names(address)
    attempt = await post(url(NAME, everywhere.port))
    assert (attempt.error, attempt.status_code) == ("address_refused", None)
    assert (connects.hosts, everywhere.connections) == ([], 0)


async def test_name_with_a_refused_and_a_closed_address_fails_as_connection(
    post: Posting, connects: Connects, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.77", 0))
        port = unused.getsockname()[1]
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        for hosts in (("10.0.0.1", "127.0.0.77"), ("127.0.0.77", "10.0.0.1")):
            found = [(*kind, (host, None)) for host in hosts]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_, found=found, **__: found)
            assert (await post(url(NAME, port))).error == "connection_failed"
    assert set(connects.hosts) == {"127.0.0.77"}


@pytest.mark.parametrize("host", LEGACY_LITERALS)
async def test_legacy_literal_gets_no_packet(
    post: Posting, everywhere: Receiver, connects: Connects, host: str
) -> None:
    attempt = await post(f"http://{host}:{everywhere.port}/")
    assert attempt.error == "address_refused"
    assert (connects.hosts, everywhere.connections) == ([], 0)


async def test_name_with_a_refused_and_an_allowed_address_reaches_the_allowed_one(
    post: Posting, everywhere: Receiver, connects: Connects, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_up(_host: str, port: None, *_args: object, **_options: object) -> list[Any]:
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, (host, port)) for host in ("10.0.0.1", "127.0.0.1", "127.0.0.77")]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert (await post(url(NAME, everywhere.port))).delivered
    assert connects.hosts == ["127.0.0.77"]


@pytest.mark.parametrize("address", LOCAL_FORMS)
async def test_listener_without_a_policy_counts_the_connection(
    everywhere: Receiver, connects: Connects, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusals above would fail if the policy were switched off."""
    monkeypatch.setattr("shared.webhooks.destination.is_public", lambda _address: True)
    monkeypatch.setattr("shared.webhooks.destination.is_own", lambda _address: False)
    policy = DestinationPolicy(frozenset({"http"}), frozenset())
    async with open_sender(policy, 5, SystemClock(), 50) as sender:
        attempt = await sender.attempt(url(address, everywhere.port), MESSAGE, [SECRET])
    assert (attempt.delivered, everywhere.connections) == (True, 1)
    assert list(map(ip_address, connects.hosts)) == [ip_address(address)]
