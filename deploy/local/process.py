"""Processes that never outlive the one that started them, and the ports they listen on."""

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

PR_SET_PDEATHSIG = 1


def dies_with_parent(signum: signal.Signals) -> Callable[[], None] | None:
    """Return what a child runs before exec so that it gets `signum` when its parent dies.

    Linux only (None elsewhere); it follows the thread that forks, so fork from the main one.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up here: a forked child must not load libraries
    parent = os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, int(signum), 0, 0, 0)
        if os.getppid() != parent:  # it died in between, and the signal will never come
            os._exit(1)

    return ask


def die_with_parent(signum: signal.Signals) -> None:
    """Send `signum` to this very process when the one that started it dies (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signum), 0, 0, 0)


def spawn_server(
    command: list[str | Path], log: IO[bytes], *, end: signal.Signals, stdin: bytes = b""
) -> subprocess.Popen[bytes]:
    """Start a server as its own user, apart from our terminal, fed `stdin`, ended with us."""
    user = server_user()
    process = subprocess.Popen(  # noqa: S603 -- our own programs, no shell
        command,
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        start_new_session=True,  # Ctrl-C is for the launcher, which ends its servers in order
        preexec_fn=dies_with_parent(end),  # noqa: PLW1509 -- one prctl; no other way to ask for it
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
    )
    if process.stdin is not None:
        with process.stdin as pipe:
            pipe.write(stdin)
    return process


def free_port() -> int:
    """Return a loopback port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answer_of(port: int, question: bytes = b"", timeout: float = 1) -> bytes | None:
    """Return the first bytes that a loopback port answers (b"" unasked), None if nobody listens."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout) as connection:
            if not question:
                return b""
            connection.sendall(question)
            return connection.recv(64)
    except OSError:
        return None
