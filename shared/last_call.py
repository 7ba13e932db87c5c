"""The end of listening without a connection lost.

A listening socket that is closed resets the connections which the kernel has completed and nobody
has accepted yet: their clients have sent a request that will never be answered, and a proxy may not
repeat a POST. So the kernel is first told to ignore new ones, which costs their clients nothing: a
proxy asks another replica, everybody else's kernel asks again until the port is closed.
"""

import asyncio
import ctypes
import socket
import struct
import sys
from collections.abc import Iterable

SO_ATTACH_FILTER = 26  # Linux: <asm-generic/socket.h>
# Classic BPF on the TCP header: drop a segment with the flag SYN, take all others.
IGNORE_SYN = b"".join(
    struct.pack("=HBBI", *instruction)
    for instruction in (
        (0x30, 0, 0, 13),  # load the byte that holds the flags
        (0x45, 0, 1, 0x02),  # SYN set?
        (0x06, 0, 0, 0),  # then drop
        (0x06, 0, 0, 0xFFFFFFFF),  # else take all of it
    )
)
INSTRUCTION_BYTES = 8
HANDSHAKE_SECONDS = 0.1  # for the handshakes that are under way, and then for their requests


async def last_call(server: asyncio.Server) -> None:
    """Close a TCP server after taking in every connection that a client may think it has."""
    if ignore_new(server.sockets):
        await asyncio.sleep(HANDSHAKE_SECONDS)
        server.close()
        await asyncio.sleep(HANDSHAKE_SECONDS)


def ignore_new(sockets: Iterable[socket.socket]) -> bool:
    """Let no new handshake begin on these sockets; tell whether there are such to be ignored."""
    inet = [one for one in sockets if one.family in {socket.AF_INET, socket.AF_INET6}]
    if sys.platform != "linux" or not inet:
        return False
    program = ctypes.create_string_buffer(IGNORE_SYN, len(IGNORE_SYN))
    count = len(IGNORE_SYN) // INSTRUCTION_BYTES
    option = struct.pack("@HP", count, ctypes.addressof(program))
    for one in inet:
        one.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, option)
    return True
