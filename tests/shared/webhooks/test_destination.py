"""Addresses, ports and URLs that a webhook may have."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.webhooks.destination import AddressRefused, DestinationPolicy, is_own, is_public
from tests.support.webhook_addresses import LEGACY_LITERALS, PUBLIC_ADDRESSES, REFUSED_ADDRESSES

PUBLIC = DestinationPolicy()


def literal(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def info(host: str, port: int = 443) -> tuple[int, int, int, str, tuple[str, int]]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port)


@pytest.mark.parametrize("address", REFUSED_ADDRESSES.values(), ids=REFUSED_ADDRESSES)
def test_address_not_public_is_refused_as_literal_and_as_socket(address: str) -> None:
    with pytest.raises(AddressRefused):
        PUBLIC.require_url(f"https://{literal(address)}/")
    with pytest.raises(AddressRefused):
        PUBLIC.open_socket(info(address))


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_address_public_is_accepted_as_literal_and_as_socket(address: str) -> None:
    assert PUBLIC.require_url(f"https://{literal(address)}/hook").host == address
    PUBLIC.open_socket(info(address)).close()


@given(st.ip_addresses(v=6))
def test_address_ipv6_outside_global_unicast_is_refused(address: IPv6Address) -> None:
    assert address in IPv6Network("2000::/3") or not is_public(address)


@given(st.ip_addresses())
def test_address_that_python_calls_private_is_refused(address: IPv4Address | IPv6Address) -> None:
    assert address.is_global or not is_public(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_address_of_this_machine_is_its_own(address: str) -> None:
    assert is_own(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_address_of_another_machine_is_not_its_own(address: str) -> None:
    assert not is_own(ip_address(address))


def test_address_public_but_of_this_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.webhooks.destination.is_public", lambda _address: True)
    with pytest.raises(AddressRefused):
        PUBLIC.require_url("https://127.0.0.1/")
    with pytest.raises(AddressRefused):
        PUBLIC.open_socket(info("127.0.0.1"))


def test_socket_name_instead_of_address_is_refused() -> None:
    with pytest.raises(AddressRefused):
        PUBLIC.open_socket(info("localhost"))


@pytest.mark.parametrize("port", [80, 22, 6379, 8443])
def test_port_not_listed_is_refused_in_url_and_as_socket(port: int) -> None:
    with pytest.raises(AddressRefused):
        PUBLIC.require_url(f"https://receiver.example:{port}/")
    with pytest.raises(AddressRefused):
        PUBLIC.open_socket(info("1.1.1.1", port))


def test_allowed_network_is_reached_and_its_neighbour_is_not() -> None:
    policy = DestinationPolicy(allow_networks=(ip_network("10.1.0.0/16"), ip_network("fd01::/64")))
    for allowed in ("10.1.2.3", "fd01::1"):
        policy.open_socket(info(allowed)).close()
    for refused in ("10.2.0.1", "::ffff:10.1.2.3", "fd02::1"):
        with pytest.raises(AddressRefused):
            policy.open_socket(info(refused))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "receiver.example",
        "/hook",
        "//receiver.example/",
        "http://receiver.example/",
        "ftp://receiver.example/",
        "wss://receiver.example/",
        "file:///etc/passwd",
        "https:///hook",
        "https://",
        "https://user:password@receiver.example/",
        "https://user@receiver.example/",
        "https://receiver.example:0/",
        "https://receiver.example:65536/",
        "https://receiver.example:port/",
        "https://[::1/",
        "https://[1.1.1.1]/",
    ],
)
def test_url_that_is_no_receiver_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        PUBLIC.require_url(url)


@pytest.mark.parametrize("host", [*LEGACY_LITERALS, "1.1.1.1.", "1.1.257", "a.0X7f", "receiver.1"])
def test_url_literal_in_another_form_is_refused(host: str) -> None:
    with pytest.raises(AddressRefused):
        PUBLIC.require_url(f"https://{host}/")


@pytest.mark.parametrize("host", ["redis", "redis.", "localhost", "bücher"])
def test_url_name_of_one_label_is_refused_but_where_internal_names_count(host: str) -> None:
    with pytest.raises(AddressRefused):
        PUBLIC.require_url(f"https://{host}/")
    assert DestinationPolicy(internal_names=True).require_url(f"https://{host}/").host == host


@pytest.mark.parametrize(
    "url",
    [
        "https://receiver.example",
        "https://receiver.example:443/hook?key=a%20b#part",
        "HTTPS://Receiver.Example/",
        "https://bücher.example/",
        "https://xn--bcher-kva.example/",
        "https://receiver.example./",
        "https://a_b.example/",
        "https://4chan.example/",
        "https://1.example/",
        "https://receiver.0example/",
    ],
)
def test_url_of_a_receiver_is_accepted(url: str) -> None:
    assert PUBLIC.require_url(url).port == 443
