"""The system calls that a decoder may still make once it is ready (seccomp(2)).

It is a list of what is allowed: decoding computes, takes memory, and reads and writes what is open.
Everything else fails with EPERM, so an innocent call that is missing here costs its effect alone.
"""

import ctypes
import os
import platform
import struct
import sys
from dataclasses import dataclass
from errno import ENOSYS, EPERM
from typing import NamedTuple

from shared.prctl import PR_SET_SECCOMP, prctl

_MODE_FILTER = 2
_KILL_PROCESS, _FAIL, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_LOAD, _AND, _IF_EQUAL, _RETURN = 0x20, 0x54, 0x15, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
"""Offsets in `struct seccomp_data`; both architectures are little-endian."""

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_PROT_EXEC = 4
_F_DUPFD_CLOEXEC = 1030
_CLONE_DETACHED = 0x400000
_CLONE_OF_A_THREAD = 0x3D0F00
"""What glibc and musl start a thread with, but for `_CLONE_DETACHED`, which musl adds."""


class SyscallNumber(NamedTuple):
    """A system call's number on each architecture."""

    x86_64: int
    aarch64: int


ALLOWED = {
    # what is open already: the pipes, and the files that come with a job
    "read": SyscallNumber(0, 63),
    "write": SyscallNumber(1, 64),
    "readv": SyscallNumber(19, 65),
    "writev": SyscallNumber(20, 66),
    "close": SyscallNumber(3, 57),
    "fstat": SyscallNumber(5, 80),
    "lseek": SyscallNumber(8, 62),
    "fsync": SyscallNumber(74, 82),
    "recvfrom": SyscallNumber(45, 207),
    "recvmsg": SyscallNumber(47, 212),
    # memory
    "brk": SyscallNumber(12, 214),
    "munmap": SyscallNumber(11, 215),
    "mremap": SyscallNumber(25, 216),
    "madvise": SyscallNumber(28, 233),
    "getrandom": SyscallNumber(318, 278),
    "sysinfo": SyscallNumber(99, 179),
    # threads of its own
    "futex": SyscallNumber(202, 98),
    "set_robust_list": SyscallNumber(273, 99),
    "rseq": SyscallNumber(334, 293),
    "set_tid_address": SyscallNumber(218, 96),
    "sched_yield": SyscallNumber(24, 124),
    "sched_getaffinity": SyscallNumber(204, 123),
    "getpid": SyscallNumber(39, 172),
    "gettid": SyscallNumber(186, 178),
    # time, signals, the end
    "clock_gettime": SyscallNumber(228, 113),
    "clock_nanosleep": SyscallNumber(230, 115),
    "nanosleep": SyscallNumber(35, 101),
    "gettimeofday": SyscallNumber(96, 169),
    "rt_sigaction": SyscallNumber(13, 134),
    "rt_sigprocmask": SyscallNumber(14, 135),
    "rt_sigreturn": SyscallNumber(15, 139),
    "sigaltstack": SyscallNumber(131, 132),
    "restart_syscall": SyscallNumber(219, 128),
    "exit": SyscallNumber(60, 93),
    "exit_group": SyscallNumber(231, 94),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A call is allowed if `argument & mask == value`."""

    numbers: SyscallNumber
    argument: int
    mask: int
    value: int


RULES = {
    "mmap": Rule(SyscallNumber(9, 222), 2, _PROT_EXEC, 0),
    "mprotect": Rule(SyscallNumber(10, 226), 2, _PROT_EXEC, 0),
    "clone": Rule(SyscallNumber(56, 220), 0, ~_CLONE_DETACHED & 0xFFFFFFFF, _CLONE_OF_A_THREAD),
    "fcntl": Rule(SyscallNumber(72, 25), 1, 0xFFFFFFFF, _F_DUPFD_CLOEXEC),
}
"""No memory becomes code, no clone is a process, and no descriptor sends signals (`F_SETOWN`)."""

_CLONE3 = SyscallNumber(435, 435)
"""Its arguments lie in memory, unseen by a filter: said to be missing, a libc takes `clone`."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def install_filter() -> None:
    """Allow this process nothing but the calls above; it must have no_new_privs.

    Raises:
        OSError: the kernel has no filters or refuses this one.
        LookupError: the architecture's numbers are not known here.
    """
    machine = platform.machine() if sys.maxsize > 2**32 else "of 32 bits"
    code = build_filter(machine)
    if not _survives(code):
        raise OSError(EPERM, os.strerror(EPERM))
    _install(code)


def build_filter(machine: str) -> bytes:
    """Return the filter's instructions (classic BPF).

    Raises:
        LookupError: the architecture's numbers are not known here.
    """
    architecture = ARCHITECTURES[machine]
    steps = [
        _step(_LOAD, _ARCHITECTURE_AT),
        _step(_IF_EQUAL, architecture, then=1),
        _step(_RETURN, _KILL_PROCESS),
        _step(_LOAD, _NUMBER_AT),
    ]
    for numbers in ALLOWED.values():
        steps += [_step(_IF_EQUAL, getattr(numbers, machine), otherwise=1), _step(_RETURN, _ALLOW)]
    for rule in RULES.values():
        steps += [
            _step(_IF_EQUAL, getattr(rule.numbers, machine), otherwise=5),
            _step(_LOAD, _ARGUMENTS_AT + 8 * rule.argument),
            _step(_AND, rule.mask),
            _step(_IF_EQUAL, rule.value, otherwise=1),
            _step(_RETURN, _ALLOW),
            _step(_RETURN, _FAIL | EPERM),
        ]
    steps += [
        _step(_IF_EQUAL, getattr(_CLONE3, machine), otherwise=1),
        _step(_RETURN, _FAIL | ENOSYS),
        _step(_RETURN, _FAIL | EPERM),
    ]
    return b"".join(steps)


def _step(code: int, operand: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    """Return one `struct sock_filter`; a jump skips `then` or `otherwise` instructions."""
    return struct.pack("=HBBI", code, then, otherwise, operand)


def _survives(code: bytes) -> bool:
    """Return whether a child lives on behind the filter.

    Translators of machine code report another architecture than a program sees, say.
    """
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _install(code)
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


def _install(code: bytes) -> None:
    program = _Program(len(code) // 8, code)
    prctl(PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(program))
