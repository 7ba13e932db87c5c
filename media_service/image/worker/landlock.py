"""Landlock(7) for a decoder: no file, no TCP, no signal to others.

The numbers of its system calls are the same on every architecture.
"""

import ctypes
import os
import struct
import sys

_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_ASK_VERSION = 1
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_NEWEST_FILE_RIGHTS = 16
_TCP_SINCE, _BIND_AND_CONNECT = 4, 0b11
_SCOPES_SINCE, _ABSTRACT_SOCKETS_AND_SIGNALS = 6, 0b11


def restrict_self() -> None:
    """Give up every right that the kernel's Landlock knows; what is open stays open.

    Raises:
        OSError: the kernel has no Landlock, or another filter forbids it.
    """
    version = _syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    attributes = _ruleset_attributes(version)
    ruleset = _syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    try:
        _syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _ruleset_attributes(version: int) -> bytes:
    """Return `struct landlock_ruleset_attr` with every right that this version can deny."""
    rights = [(1 << _FILE_RIGHTS.get(version, _NEWEST_FILE_RIGHTS)) - 1]
    if version >= _TCP_SINCE:
        rights.append(_BIND_AND_CONNECT)
    if version >= _SCOPES_SINCE:
        rights.append(_ABSTRACT_SOCKETS_AND_SIGNALS)
    return struct.pack(f"={len(rights)}Q", *rights)


def _syscall(number: int, *arguments: bytes | int | None) -> int:
    if sys.platform != "linux":
        raise OSError
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    words = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    result: int = call(ctypes.c_long(number), *words)
    if result < 0:
        failed = ctypes.get_errno()
        raise OSError(failed, os.strerror(failed))
    return result
