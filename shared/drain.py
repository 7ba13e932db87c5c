"""Closes a listening socket without losing a connection.

Closing resets the connections that the kernel has completed and the process has not accepted yet.
Their clients have sent a request that is never answered, and a proxy may not repeat a POST. So the
kernel first ignores new connections. That costs their clients nothing: a proxy asks another
replica, any other client's kernel tries again until the port is closed.
"""

import asyncio
import socket
import sys

from aiohttp import web

from shared.http_connection import HttpConnection

# Linux, unprivileged: the kernel drops segments whose TTL is below this minimum. With 255, all
# segments that crossed a router or were sent with the usual TTL are dropped. Source: RFC 5082.
MIN_TTL_OPTIONS = {
    socket.AF_INET: (socket.IPPROTO_IP, 21),  # IP_MINTTL
    socket.AF_INET6: (socket.IPPROTO_IPV6, 73),  # IPV6_MINHOPCOUNT
}
IGNORE_ALL, ACCEPT_ALL = 255, 0
HANDSHAKE_SECONDS = 0.1  # for handshakes that have begun
REQUEST_SECONDS = 0.4  # for their requests, which may have to be sent again
ANSWER_SECONDS = 3  # for the answers to expired requests, and for clients to read them
POLL_SECONDS = 0.02


async def close_after_backlog(server: asyncio.Server, connections: web.Server) -> None:
    """Close a TCP server after accepting every connection that its clients take for open."""
    changed = [_set_min_ttl(listener, IGNORE_ALL) for listener in server.sockets]
    if not any(changed):
        return
    await asyncio.sleep(HANDSHAKE_SECONDS)
    for connection in connections.connections:  # new ones inherit the listener's minimum
        if connection.transport is not None:
            _set_min_ttl(connection.transport.get_extra_info("socket"), ACCEPT_ALL)
    server.close()
    await asyncio.sleep(REQUEST_SECONDS)


async def finish_requests(connections: web.Server, grace: float) -> None:
    """Answer the open requests, reading the rest of their bodies; accept no new ones.

    A request that takes longer than `grace` seconds is answered 503. Call it when nothing listens.
    """
    await asyncio.sleep(0)  # lets a connection of this very moment register
    if not await _wait_until_closed(connections, grace):
        for connection in _http_connections(connections):
            connection.expire_request()
        await _wait_until_closed(connections, ANSWER_SECONDS)


async def _wait_until_closed(connections: web.Server, seconds: float) -> bool:
    """Finish every connection; return whether all are closed within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            while remaining := _http_connections(connections):
                for connection in remaining:
                    connection.finish()
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        return False
    return True


def _http_connections(connections: web.Server) -> list[HttpConnection]:
    every = connections.connections
    return [connection for connection in every if isinstance(connection, HttpConnection)]


def _set_min_ttl(endpoint: socket.socket, ttl: int) -> bool:
    """Set the minimum TTL of received segments; return whether the system supports it."""
    if sys.platform != "linux" or endpoint.family not in MIN_TTL_OPTIONS:
        return False
    try:
        endpoint.setsockopt(*MIN_TTL_OPTIONS[endpoint.family], ttl)
    except OSError:
        return False
    return True
