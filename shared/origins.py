"""Origins of web pages, as browsers write them: `scheme://host[:port]`. Source: RFC 6454 §6.2."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

_USUAL_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_LOCAL = re.compile(r"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class AllowedOrigins:
    """The origins whose pages may call us with a browser's cookies, and read the answers.

    They are our `own` and the `listed` ones; in `development` also every port of localhost,
    127.0.0.1 and [::1].
    """

    own: str
    listed: frozenset[str] = frozenset()
    development: bool = False

    def __contains__(self, origin: str) -> bool:
        """Return whether a browser's `Origin` is one of them."""
        if origin == self.own or origin in self.listed:
            return True
        return self.development and _LOCAL.fullmatch(origin) is not None

    def find_differences(self, origin: str) -> list[str]:
        """Return in which of scheme, host and port an origin differs from our own."""
        try:
            page, ours = urlsplit(origin), urlsplit(self.own)
            pairs = {
                "scheme": (page.scheme, ours.scheme),
                "host": (page.hostname, ours.hostname),
                "port": (page.port, ours.port),
            }
        except ValueError:
            return ["host"]
        return [name for name, (given, expected) in pairs.items() if given != expected]


def to_origin(url: str, schemes: Collection[str] = ()) -> str:
    """Return a URL without path as browsers write its origin. `schemes`: the accepted ones, if any.

    Raises:
        ValueError: it has another scheme, no host, or more than an origin has.
    """
    expected = f"expected {' or '.join(schemes) or 'scheme'}://host[:port]"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        shown_host = f"[{IPv6Address(host).compressed}]" if ":" in host else host
    except ValueError:
        raise ValueError(expected) from None
    more = "@" in parts.netloc or parts.path.removesuffix("/") or parts.query or parts.fragment
    is_host = shown_host.startswith("[") or _HOST.fullmatch(host)
    if more or not is_host or not parts.scheme or (schemes and parts.scheme not in schemes):
        raise ValueError(expected)
    shown_port = "" if port in {None, _USUAL_PORTS.get(parts.scheme)} else f":{port}"
    return f"{parts.scheme}://{shown_host}{shown_port}"


def is_secure(origin: str) -> bool:
    """Return whether the network cannot change the page: it is served over https, or locally."""
    url = urlsplit(origin)
    return url.scheme != "http" or is_local_page(url.hostname or "")


def is_loopback(host: str) -> bool:
    """Return whether a host's name or address stands for this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_local_page(host: str) -> bool:
    """Return whether browsers look for this host on their own machine alone.

    They do so for every name below localhost; other programs may ask a name server.
    Source: RFC 6761 §6.3.
    """
    return is_loopback(host) or host.endswith(".localhost")
