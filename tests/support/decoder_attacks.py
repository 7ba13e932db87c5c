"""What a picture that has taken its decoder over would try. Runs inside a decoder.

A job whose upload is a JSON object is attacked with; what came of it lies in the file of the
original. Every other job is a picture.
"""

import ctypes
import fcntl
import json
import mmap
import os
import resource
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from media_service.image.job_files import JobFiles
from media_service.image.model import ORIGINAL, VARIANTS
from media_service.image.worker.decoder import run_job
from media_service.image.worker.ipc import Message

_CALLS = {"process_vm_readv": (310, 270), "pidfd_open": (434, 434), "io_uring_setup": (425, 425)}
_PTRACE_ATTACH = 16


@dataclass(frozen=True, slots=True)
class Target:
    """What is attacked. `parent` is the service; `victim`, of the same user, may end or stop."""

    port: int
    parent: int
    victim: int
    new_file: str
    others_file: str


def probe(job: Message, files: JobFiles) -> Message:
    """Attack with the job, or decode it."""
    head = os.read(files.source, 4096)
    os.lseek(files.source, 0, os.SEEK_SET)
    if not head.startswith(b"{"):
        return run_job(job, files)
    target = Target(**json.loads(head))
    tried = {name: _outcome(attack, target) for name, attack in (HARMLESS | HARMFUL).items()}
    os.write(files.target(ORIGINAL), json.dumps(tried | {"thread": _thread_works()}).encode())
    return any_answer(files)


def probe_harmlessly(job: Message, files: JobFiles) -> Message:
    """Attack with what leaves everything as it was where it succeeds."""
    target = Target(**json.loads(os.read(files.source, 4096)))
    tried = {name: _outcome(attack, target) for name, attack in HARMLESS.items()}
    os.write(files.target(ORIGINAL), json.dumps(tried).encode())
    return any_answer(files)


def any_answer(files: JobFiles) -> Message:
    """Return an answer that is taken for a picture's; fill the files that are empty."""
    made = []
    for variant in VARIANTS:
        target = files.target(variant)
        size = os.lseek(target, 0, os.SEEK_END) or os.write(target, b"x")
        made.append({"variant": variant, "size": size, "sha256": "0" * 64})
    info = {"content_type": "image/png", "width": 1, "height": 1, "placeholder": "L"}
    return info | {"renditions": made}


def _outcome(attack: Callable[[Target], object], target: Target) -> str:
    try:
        attack(target)
    except OSError as failed:
        return type(failed).__name__
    return "done"


def _thread_works() -> bool:
    computed: list[int] = []
    thread = threading.Thread(target=lambda: computed.append(sum(range(1000))))
    thread.start()
    thread.join()
    return computed == [499500]


def _connect(target: Target) -> None:
    with socket.socket() as connection:
        connection.settimeout(2)
        connection.connect(("127.0.0.1", target.port))


def _pair(_: Target) -> None:
    for one in socket.socketpair():
        one.close()


def _read(path: str) -> None:
    Path(path).read_bytes()


def _write(target: Target) -> None:
    with Path(target.new_file).open("wb") as file:
        file.write(b"x")
    Path(target.new_file).unlink()


def _fork(_: Target) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _call(name: str, *arguments: int) -> None:
    number = _CALLS[name][os.uname().machine == "aarch64"]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *(ctypes.c_long(one) for one in arguments)) < 0:
        raise OSError(ctypes.get_errno(), name)


def _attach(target: Target) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(_PTRACE_ATTACH, target.victim, None, None) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def _signal_by_descriptor(target: Target) -> None:
    fcntl.fcntl(0, fcntl.F_SETOWN, target.parent)


HARMLESS: dict[str, Callable[[Target], object]] = {
    "connect": _connect,
    "udp socket": lambda _: socket.socket(type=socket.SOCK_DGRAM).close(),
    "unix socket": lambda _: socket.socket(socket.AF_UNIX).close(),
    "socket pair": _pair,
    "another's file": lambda target: _read(target.others_file),
    "/etc/passwd": lambda _: _read("/etc/passwd"),
    "/proc/self/maps": lambda _: _read("/proc/self/maps"),
    "environment": lambda target: _read(f"/proc/{target.parent}/environ"),
    "directory": lambda _: os.listdir("/"),  # noqa: PTH208 - one call, one attack
    "write a file": _write,
    "signal": lambda target: os.kill(target.parent, 0),
    "pidfd": lambda target: _call("pidfd_open", target.parent, 0),
    "fork": _fork,
    "executable memory": lambda _: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC),
    "limits": lambda target: resource.prlimit(target.parent, resource.RLIMIT_NOFILE),
    "priority": lambda target: os.setpriority(os.PRIO_PROCESS, target.parent, 0),
    "file mode": lambda target: Path(target.others_file).chmod(0o600),
}
"""Without a sandbox, each of these succeeds."""

HARMFUL: dict[str, Callable[[Target], object]] = {
    "memory": lambda target: _read(f"/proc/{target.parent}/mem"),
    "execve": lambda _: os.execv("/bin/true", ["true"]),  # noqa: S606 - the attack
    "ptrace": _attach,
    "process_vm_readv": lambda target: _call("process_vm_readv", target.parent, 0, 0, 0, 0, 0),
    "io_uring": lambda _: _call("io_uring_setup", 1, 0),
    "signal by descriptor": _signal_by_descriptor,
    "terminate": lambda target: os.kill(target.victim, 9),
    "unlink": lambda target: Path(target.others_file).unlink(),
    "rename": lambda target: Path(target.others_file).rename(target.new_file),
}
"""Only tried in a sandbox: these end or change something, or depend on the machine's settings."""
