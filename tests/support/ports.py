"""Ports of loopback for the servers that a test starts by number."""

import socket
import sys


def own_port() -> int:
    """Return a loopback port that no other program here is given until this process ends.

    A server may listen on it, and another one after that. A socket that does not listen keeps it
    bound: neither `bind` to port 0 nor `connect` chooses such a port. A server that binds it by
    number with `SO_REUSEADDR` still gets it (socket(7)). So it is on Linux; on other systems the
    port is only one that was free a moment ago.
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
