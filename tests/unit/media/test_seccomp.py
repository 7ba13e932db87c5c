"""The decoder's filter, run by a small interpreter: also for a machine that this one is not."""

import struct

import pytest

from media_service.image.worker.seccomp import ALLOWED, ARCHITECTURES, RULES, build_filter

KILL, FAIL, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
EPERM, ENOSYS = FAIL | 1, FAIL | 38
THREAD, PROCESS = 0x3D0F00, 17
ON = pytest.mark.parametrize("machine", ARCHITECTURES)


def judge(machine: str, number: int, *arguments: int, architecture: int | None = None) -> int:
    """What the kernel would do with the call (the four instructions that the filter uses)."""
    padded = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    data = struct.pack("<IIQ6Q", number, architecture or ARCHITECTURES[machine], 0, *padded)
    steps = list(struct.iter_unpack("=HBBI", build_filter(machine)))
    at = accumulator = 0
    while True:
        code, then, otherwise, operand = steps[at]
        at += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, operand)
            case 0x54:
                accumulator &= operand
            case 0x15:
                at += then if accumulator == operand else otherwise
            case 0x06:
                return int(operand)


def number(machine: str, name: str) -> int:
    numbers = ALLOWED[name] if name in ALLOWED else RULES[name].numbers
    return int(getattr(numbers, machine))


@ON
def test_filter_allows_listed_calls_alone(machine: str) -> None:
    allowed = {one for one in range(1000) if judge(machine, one, 0xFFFFFFFF, 1, 0xFF) == ALLOW}
    assert allowed == {number(machine, name) for name in ALLOWED}
    assert {judge(machine, one) for one in range(1000)} == {ALLOW, EPERM, ENOSYS}
    assert judge(machine, 435) == ENOSYS


@ON
def test_filter_kills_a_call_of_another_architecture(machine: str) -> None:
    assert judge(machine, number(machine, "read"), architecture=0x40000003) == KILL
    assert judge(machine, 0x40000000 + number(machine, "read")) == EPERM  # x32's numbers


@ON
@pytest.mark.parametrize(
    ("name", "arguments", "allowed"),
    [
        ("mmap", (0, 4096, 3), True),
        ("mmap", (0, 4096, 4), False),
        ("mprotect", (0, 4096, 1), True),
        ("mprotect", (0, 4096, 5), False),
        ("clone", (THREAD,), True),
        ("clone", (THREAD | 0x400000,), True),
        ("clone", (PROCESS,), False),
        ("clone", (THREAD | 0x10000000,), False),  # CLONE_NEWUSER
        ("fcntl", (3, 1030), True),
        ("fcntl", (3, 8), False),  # F_SETOWN
        ("fcntl", (3, 0x8000_0000_0008), False),
    ],
)
def test_filter_checks_arguments(
    name: str, arguments: tuple[int, ...], allowed: bool, machine: str
) -> None:
    assert (judge(machine, number(machine, name), *arguments) == ALLOW) is allowed


def test_architecture_unknown_has_no_filter() -> None:
    with pytest.raises(LookupError):
        build_filter("riscv64")
