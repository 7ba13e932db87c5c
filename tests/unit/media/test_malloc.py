"""Chunks are put where chunks were, and the kernel is not asked for each of them."""

import platform
import subprocess
import sys

import pytest

CHUNKS = """
import resource
from media_service.malloc import keep_freed_chunks
{before}
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3):
    del [bytes(256_000) for _ in range(6)][:]
began = faults()
for _ in range(100):
    del [bytearray(b"x") * 256_000 for _ in range(6)][:]
print(faults() - began)
"""


def faults(before: str) -> int:
    command = [sys.executable, "-c", CHUNKS.format(before=before)]
    return int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc",
    reason="other C libraries have no mallopt: there nothing is changed",
)
def test_malloc_freed_chunks_are_reused() -> None:
    assert faults("keep_freed_chunks()") < faults("") / 10
