"""Linux process control: prctl(2)."""

import contextlib
import ctypes
import errno
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38


def prctl(option: int, value: int, address: int = 0) -> None:
    """Set an attribute of this process.

    Raises:
        OSError: the kernel refuses, or it is not Linux.
    """
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(address), 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def deny_inspection() -> None:
    """Keep other processes of the same user from this one's memory and environment.

    The kernel writes no core dump of it either. Debuggers need CAP_SYS_PTRACE then.
    """
    with contextlib.suppress(OSError):
        prctl(PR_SET_DUMPABLE, 0)
