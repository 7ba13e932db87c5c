"""Which headers pass through a proxy, and which ones it sets itself (RFC 9110 §7.6.1)."""

from collections.abc import Mapping

from aiohttp import web
from multidict import CIMultiDict, MultiMapping

from shared.problem import REQUEST_ID, SECURITY_HEADERS

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# what only a proxy may claim; a service believes these, because it trusts its proxy
CLAIMS = frozenset(
    {
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-proto",
        "x-real-ip",
    }
)


def request_headers(request: web.Request) -> CIMultiDict[str]:
    """Return what a service gets: the client's end-to-end headers, and who the client is."""
    passed = end_to_end(request.headers, but=CLAIMS | {"expect"})
    passed["X-Forwarded-For"] = request.remote or "127.0.0.1"
    passed["X-Forwarded-Proto"] = request.scheme
    passed["X-Forwarded-Host"] = request.host
    passed["X-Request-ID"] = request[REQUEST_ID]
    return passed


def end_to_end(
    headers: MultiMapping[str], *, but: frozenset[str] | set[str] = frozenset()
) -> CIMultiDict[str]:
    """Return the headers that are not for this connection only, repeated ones included."""
    named = {
        name.strip().lower()
        for line in headers.getall("Connection", [])
        for name in line.split(",")
    }
    dropped = HOP_BY_HOP | named | but
    return CIMultiDict(
        (name, value) for name, value in headers.items() if name.lower() not in dropped
    )


def secure(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Return the front's own headers on top of those that every answer of ours carries."""
    return CIMultiDict({**SECURITY_HEADERS, **headers})
