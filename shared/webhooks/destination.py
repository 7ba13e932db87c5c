"""Where webhooks may connect: the public internet, and networks that the operator allows."""

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from yarl import URL

Network = IPv4Network | IPv6Network
AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""As `socket.getaddrinfo` returns it."""

_REFUSED_IPV4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # "this network": Linux connects to itself
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, and metadata of Alibaba Cloud
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's own services for a virtual machine
        "169.254.0.0/16",  # link-local, and metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments, and metadata of Oracle Cloud
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_REFUSED_IPV6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, among them Teredo, which holds an IPv4 address
        "2001:db8::/32",
        "2002::/16",  # 6to4, which holds an IPv4 address
        "3fff::/20",
    )
)
"""Source: the IANA registries of special-purpose addresses.

All else outside `2000::/3` is refused: loopback, IPv4-mapped and -compatible, NAT64, unique local,
link-local, site-local, multicast. `ipaddress.is_global` differs between versions of Python.
"""


_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
"""A host whose last label is one is no name, but another form of an IPv4 address."""


class AddressRefused(OSError):
    """A webhook may not connect there; no packet was sent."""


@dataclass(frozen=True, slots=True)
class DestinationPolicy:
    """Which receivers a webhook may have.

    `ports`: any if empty. `allow_networks`: they count as public. `internal_names`: names count
    that only this network knows, as `localhost`.
    """

    schemes: frozenset[str] = frozenset({"https"})
    ports: frozenset[int] = frozenset({443})
    allow_networks: tuple[Network, ...] = ()
    internal_names: bool = False

    def require_url(self, text: str) -> URL:
        """Return a receiver's URL. A name's address is not known before it is connected to.

        Raises:
            AddressRefused: it is no URL, or its scheme, user, port, literal address or kind of name
                is refused.
        """
        try:
            url = URL(text)
        except ValueError:
            raise AddressRefused("expected a URL") from None
        host, port = url.host, url.port
        if url.scheme not in self.schemes or not host or port is None:
            raise AddressRefused(f"expected {' or '.join(sorted(self.schemes))}://host/path")
        if url.user is not None or url.password is not None:
            raise AddressRefused("expected a URL without user and password")
        self._require_port(port)
        try:
            address = ip_address(host)
        except ValueError:
            self._require_name(host)
        else:
            self._require_address(address)
        return url

    def open_socket(self, info: AddressInfo) -> socket.socket:
        """Return a socket for an address that is about to be connected to.

        aiohttp calls this for each address, also for literals, which no resolver sees.

        Raises:
            AddressRefused: the address or the port is refused.
        """
        family, kind, protocol, _, (host, port, *_) = info
        self.require_peer(host, port)
        return socket.socket(family, kind, protocol)

    def require_peer(self, host: str, port: int) -> None:
        """Accept the address and the port of a receiver.

        Raises:
            AddressRefused: one of them is refused.
        """
        try:
            address = ip_address(host)
        except ValueError:
            raise AddressRefused("expected an address") from None
        self._require_port(port)
        self._require_address(address)

    def _require_port(self, port: int) -> None:
        if self.ports and port not in self.ports:
            raise AddressRefused(f"expected port {', '.join(map(str, sorted(self.ports)))}")

    def _require_address(self, address: IPv4Address | IPv6Address) -> None:
        if any(address in network for network in self.allow_networks):
            return
        if not is_public(address) or is_own(address):
            raise AddressRefused("expected a public address")

    def _require_name(self, host: str) -> None:
        labels = host.rstrip(".").split(".")
        if _NUMBER.fullmatch(labels[-1]):
            raise AddressRefused("expected an IPv4 address of four decimal numbers")
        if len(labels) == 1 and not self.internal_names:
            raise AddressRefused("expected a name of the public internet")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is one of the public internet, and holds no other address."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _REFUSED_IPV4)
    refused = any(address in network for network in _REFUSED_IPV6)
    return address in _GLOBAL_UNICAST and not refused


def is_own(address: IPv4Address | IPv6Address) -> bool:
    """Return whether this machine has an address: it alone is reached from itself.

    No packet is sent, since UDP has no handshake.
    """
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect((str(address), 443))
        except OSError:  # no route
            return False
        return ip_address(probe.getsockname()[0]) == address
