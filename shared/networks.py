"""Networks of clients and of trusted proxies."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, collapse_addresses

IPV4_BITS, IPV6_BITS = 24, 48
"""One customer of a provider usually has such a network whole, so it counts as one client."""

MIN_IPV4_PREFIX = 8
"""`10.0.0.0/8` is the widest network that one operator has."""
MIN_IPV6_PREFIX = 16
"""No registry gives one operator more than a /19."""
UNIQUE_LOCAL = IPv6Network("fc00::/7")


def network_of(address: IPv4Address | IPv6Address) -> IPv4Network | IPv6Network:
    """Return the network of an address: IPv4 /24, IPv6 /48."""
    if isinstance(address, IPv4Address):
        return IPv4Network((address, IPV4_BITS), strict=False)
    return IPv6Network((address, IPV6_BITS), strict=False)


def wide_networks_problem(networks: Iterable[IPv4Network | IPv6Network]) -> str | None:
    """Return why networks are too wide, None when they are not.

    Adjacent networks count as one: two halves of the address space are too wide as well.
    """
    listed = list(networks)
    ipv4 = collapse_addresses(net for net in listed if isinstance(net, IPv4Network))
    ipv6 = collapse_addresses(net for net in listed if isinstance(net, IPv6Network))
    wide = [str(net) for net in ipv4 if net.prefixlen < MIN_IPV4_PREFIX]
    wide += [
        str(net)
        for net in ipv6
        if net.prefixlen < MIN_IPV6_PREFIX and not net.subnet_of(UNIQUE_LOCAL)
    ]
    if not wide:
        return None
    return (
        f"holds the addresses of strangers (given: {', '.join(wide)}); expected your own "
        f"networks, at least /{MIN_IPV4_PREFIX}, IPv6 /{MIN_IPV6_PREFIX} or in {UNIQUE_LOCAL}"
    )
