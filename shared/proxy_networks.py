"""Networks of trusted proxies: a host in one decides which client address a request shows."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

MIN_IPV4_PREFIX = 8
"""`10.0.0.0/8` is the widest network that one operator has."""
MIN_IPV6_PREFIX = 16
"""No registry gives one operator more than a /19."""
UNIQUE_LOCAL = IPv6Network("fc00::/7")


def find_wide_networks(networks: Iterable[IPv4Network | IPv6Network]) -> str | None:
    """Return why networks are so wide that they hold strangers; None when they are not.

    Networks that touch count as one, so that halves of everything are no way around.
    """
    listed = list(networks)
    ipv4 = collapse_addresses(one for one in listed if isinstance(one, IPv4Network))
    ipv6 = collapse_addresses(one for one in listed if isinstance(one, IPv6Network))
    wide = [str(one) for one in ipv4 if one.prefixlen < MIN_IPV4_PREFIX]
    wide += [
        str(one)
        for one in ipv6
        if one.prefixlen < MIN_IPV6_PREFIX and not one.subnet_of(UNIQUE_LOCAL)
    ]
    if not wide:
        return None
    return (
        f"holds the addresses of strangers (given: {', '.join(wide)}); expected the proxies' own "
        f"networks, at least /{MIN_IPV4_PREFIX}, IPv6 /{MIN_IPV6_PREFIX} or in {UNIQUE_LOCAL}"
    )
