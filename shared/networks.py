"""Networks that count as one client, because one customer of a provider usually has them whole."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

IPV4_BITS, IPV6_BITS = 24, 48


def network_of(address: IPv4Address | IPv6Address) -> IPv4Network | IPv6Network:
    """Return the network of an address: IPv4 /24, IPv6 /48."""
    if isinstance(address, IPv4Address):
        return IPv4Network((address, IPV4_BITS), strict=False)
    return IPv6Network((address, IPV6_BITS), strict=False)
