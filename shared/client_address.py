"""The client's address, also behind proxies."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import structlog
from aiohttp import web

from shared.errors import MalformedRequest

TRUSTED_PROXIES = web.AppKey("trusted_proxies", tuple[IPv4Network | IPv6Network, ...])
_WITH_PORT = re.compile(r"\[([^\]]*)\](?::[0-9]{1,5})?|([^:]*):[0-9]{1,5}")
"""`[2001:db8::1]:443` and `203.0.113.7:51234`; an IPv6 address without brackets has no port."""
log = structlog.get_logger()


def client_address(request: web.Request) -> IPv4Address | IPv6Address:
    """Return the client's address: the last one in `X-Forwarded-For` that is no trusted proxy's.

    The header counts only when the peer is a trusted proxy or came over a Unix socket, whose
    permissions restrict the peers. Entries left of the client's are the client's own word.

    Raises:
        MalformedRequest: the client's entry is not an address, so its limits cannot be counted.
    """
    trusted = request.app[TRUSTED_PROXIES]
    peer = _parse_address(request.remote or "")
    address = peer or ip_address("127.0.0.1")
    if peer is not None and not any(peer in network for network in trusted):
        return address
    for text in reversed(",".join(request.headers.getall("X-Forwarded-For", [])).split(",")):
        entry = text.strip()
        if not entry:  # RFC 9110 §5.6.1: an empty element counts for nothing
            continue
        hop = _parse_address(entry)
        if hop is None:
            log.warning("forwarded_for.rejected", peer=request.remote, entry=ascii(entry[:64]))
            raise MalformedRequest("a proxy sent X-Forwarded-For without the client's address")
        address = hop
        if not any(hop in network for network in trusted):
            break
    return address


@lru_cache(maxsize=1024)  # clients send many requests, and proxies send all of them
def _parse_address(text: str) -> IPv4Address | IPv6Address | None:
    match = _WITH_PORT.fullmatch(text)
    try:
        address = ip_address((match[1] or match[2]) if match else text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))  # drops the zone
