"""Child processes that end with their parent, and the ports that they listen on."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

from deploy.local.server_paths import server_user
from shared.prctl import PR_SET_PDEATHSIG


def parent_death_hook(signum: signal.Signals) -> Callable[[], None] | None:
    """Return the function that a child runs before exec to get `signum` when its parent dies.

    Linux only (None elsewhere); it follows the thread that forks, so fork from the main one.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up here: a forked child must not load libraries
    parent = os.getpid()

    def request_signal() -> None:
        prctl(PR_SET_PDEATHSIG, int(signum), 0, 0, 0)
        if os.getppid() != parent:  # the parent died before prctl, so no signal will come
            os._exit(1)

    return request_signal


def spawn_server(
    command: list[str | Path], log: IO[bytes], *, stop_signal: signal.Signals, stdin: bytes = b""
) -> subprocess.Popen[bytes]:
    """Start a server as its own user in a new session; it ends with this process."""
    user = server_user()
    process = subprocess.Popen(  # noqa: S603 -- our own programs, no shell
        command,
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        start_new_session=True,  # Ctrl-C is for the launcher, which ends its servers in order
        preexec_fn=parent_death_hook(stop_signal),  # noqa: PLW1509 -- prctl works only there
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
    )
    if process.stdin is not None:
        with process.stdin as pipe:
            pipe.write(stdin)
    return process


def loopback_addresses() -> list[str]:
    """Return the addresses of `localhost`: IPv6's too where the machine has it.

    Some clients of `localhost` try IPv6 alone.
    """
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return ["127.0.0.1"]
    return ["127.0.0.1", "::1"]


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def probe_port(port: int, request: bytes = b"", timeout: float = 1) -> bytes | None:
    """Return the first bytes of a loopback port's reply, or None if nothing listens there.

    Without a request it returns b"" as soon as the port accepts a connection.
    """
    try:
        with socket.create_connection(("127.0.0.1", port), timeout) as connection:
            if not request:
                return b""
            connection.sendall(request)
            return connection.recv(64)
    except OSError:
        return None
