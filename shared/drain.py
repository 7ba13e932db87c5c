"""The end of listening without a connection lost.

A listening socket that is closed resets the connections which the kernel has completed and nobody
has accepted yet: their clients have sent a request that will never be answered, and a proxy may not
repeat a POST. So the kernel is first told to ignore new ones, which costs their clients nothing: a
proxy asks another replica, everybody else's kernel asks again until the port is closed.
"""

import asyncio
import socket
import sys

from aiohttp import web

from shared.http_connection import HttpConnection

# Linux, without any privilege: segments from more than one hop away are dropped before they open a
# connection, and every sender's segments look as if they were (RFC 5082 is what this is made for).
NEAREST = {
    socket.AF_INET: (socket.IPPROTO_IP, 21),  # IP_MINTTL
    socket.AF_INET6: (socket.IPPROTO_IPV6, 73),  # IPV6_MINHOPCOUNT
}
NOBODY, ANYBODY = 255, 0
HANDSHAKE_SECONDS = 0.1  # for the handshakes that are under way
REQUEST_SECONDS = 0.4  # for their requests, which may have to be sent again
ANSWER_SECONDS = 3  # for the answers to requests whose time is over, and for clients to read them
LOOK_AGAIN_SECONDS = 0.02


async def accept_backlog(server: asyncio.Server, connections: web.Server) -> None:
    """Close a TCP server after taking in every connection that a client may think it has."""
    told = [_accept(one, NOBODY) for one in server.sockets]
    if not any(told):
        return
    await asyncio.sleep(HANDSHAKE_SECONDS)
    for connection in connections.connections:  # the youngest have inherited the listener's rule
        if connection.transport is not None:
            _accept(connection.transport.get_extra_info("socket"), ANYBODY)
    server.close()
    await asyncio.sleep(REQUEST_SECONDS)


async def finish_requests(connections: web.Server, grace: float) -> None:
    """Answer the requests that are here, reading what still arrives of them; take no other ones.

    A request that takes longer than `grace` seconds is answered 503. Call it when nothing listens.
    """
    await asyncio.sleep(0)  # a connection that was accepted just now is among them then
    if not await _all_gone(connections, grace):
        for connection in _ours(connections):
            connection.give_up()
        await _all_gone(connections, ANSWER_SECONDS)


async def _all_gone(connections: web.Server, seconds: float) -> bool:
    """Have every connection finish; return whether all are closed after so long."""
    try:
        async with asyncio.timeout(seconds):
            while ours := _ours(connections):
                for connection in ours:
                    connection.finish()
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
    except TimeoutError:
        return False
    return True


def _ours(connections: web.Server) -> list[HttpConnection]:
    return [one for one in connections.connections if isinstance(one, HttpConnection)]


def _accept(one: socket.socket, hops: int) -> bool:
    """Say from how far away segments are taken; tell whether there is such a rule here."""
    if sys.platform != "linux" or one.family not in NEAREST:
        return False
    try:
        one.setsockopt(*NEAREST[one.family], hops)
    except OSError:
        return False
    return True
