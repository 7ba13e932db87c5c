"""The process that decodes: `python -m media_service.image.worker`, spoken to over its pipes.

It may be killed at any moment, by us or by a picture; nothing is lost but the answer. It starts
without the service's environment, so that a picture that takes it over finds no secret in it.
"""

import ctypes
import math
import os
import resource
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from media_service.image import frames
from media_service.image.decode import prepare
from media_service.image.errors import ImageTooLarge
from media_service.image.model import Bounds
from media_service.image.render import render
from shared.errors import DomainError

MEMORY_BYTES = 768 * 1024 * 1024
"""A legal WebP of 40 megapixels needs 700 MiB of address space."""

_PR_SET_PDEATHSIG = 1


def main(parent: int) -> None:
    """Answer jobs until standard input ends."""
    _die_with(parent)
    answers = _take_standard_output()
    prepare()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers.write(frames.pack({"ready": True}))
    while (job := frames.read(sys.stdin.buffer)) is not None:
        answers.write(frames.pack(_answer(job)))


def _die_with(parent: int) -> None:
    """Ask the kernel for SIGKILL when the parent ends, also when it ended just now."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(0)


def _take_standard_output() -> BinaryIO:
    """Keep the answers' pipe for ourselves: what a library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return answers


def _answer(job: frames.Message) -> frames.Message:
    _allow_cpu(job["cpu_seconds"])
    try:
        facts = render(Path(job["path"]), Bounds(job["max_pixels"]))
    except DomainError as refusal:
        return {"refused": refusal.code, "detail": refusal.detail}
    except MemoryError:
        return {"refused": ImageTooLarge.code, "detail": None}
    except OSError as failed:
        return {"failed": failed.errno}
    return asdict(facts)


def _allow_cpu(seconds: int) -> None:
    """Allow this job `seconds` of processor time from now on; the limit itself is cumulative."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = math.ceil(used.ru_utime + used.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(int(sys.argv[1]))
