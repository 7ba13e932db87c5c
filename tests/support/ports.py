"""Ports of loopback for the servers that a test starts by number."""

import socket
import sys


def own_port() -> int:
    """Return a loopback port that nobody else on this machine is given until this process ends.

    A server may listen on it, and another one after that. A socket that does not listen keeps it
    bound: neither `bind` to port 0 nor `connect` chooses such a port, and who asks for it by number
    with `SO_REUSEADDR`, as servers do, still gets it (socket(7)). That is how Linux has it; where
    one may not bind beside another, the port is only one that was free a moment ago.
    """
    keeper = socket.socket()
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeper.bind(("127.0.0.1", 0))
    port: int = keeper.getsockname()[1]
    if sys.platform == "linux":
        keeper.detach()  # open until the process ends
    else:
        keeper.close()
    return port
