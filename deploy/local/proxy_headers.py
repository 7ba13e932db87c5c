"""The headers that the proxy passes on, and those that it sets (RFC 9110 §7.6.1)."""

from aiohttp import web
from multidict import CIMultiDict, MultiMapping

from shared.problem import REQUEST_ID

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
# Only a proxy may set these: the services trust them, because they trust their proxy.
FORWARDING_HEADERS = frozenset(
    {
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-proto",
        "x-real-ip",
    }
)


def upstream_headers(request: web.Request) -> CIMultiDict[str]:
    """Return the headers for the service: the client's end-to-end headers and its address."""
    passed = end_to_end_headers(request.headers, excluding=FORWARDING_HEADERS | {"expect"})
    passed["X-Forwarded-For"] = request.remote or "127.0.0.1"
    passed["X-Forwarded-Proto"] = request.scheme
    passed["X-Forwarded-Host"] = request.host
    passed["X-Request-ID"] = request[REQUEST_ID]
    return passed


def end_to_end_headers(
    headers: MultiMapping[str], *, excluding: frozenset[str] | set[str] = frozenset()
) -> CIMultiDict[str]:
    """Return all headers, repeated ones too, that are not meant for this connection only."""
    listed = {
        name.strip().lower()
        for line in headers.getall("Connection", [])
        for name in line.split(",")
    }
    dropped = HOP_BY_HOP | listed | excluding
    return CIMultiDict(
        (name, value) for name, value in headers.items() if name.lower() not in dropped
    )
