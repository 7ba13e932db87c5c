"""The decoder process: `python -m media_service.image.worker.decoder`.

Jobs arrive on its standard input.

The service or a picture may kill it at any moment; only the response is lost. A picture that takes
it over finds no secret, no file but the picture's own, no network and no other process.
"""

import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import BinaryIO

from media_service.image.decode import load_codecs
from media_service.image.errors import ImageLimitExceeded
from media_service.image.job_files import JobFiles
from media_service.image.model import DecodeLimits
from media_service.image.pipeline import render
from media_service.image.worker import ipc
from media_service.image.worker.sandbox import enter_sandbox
from shared.errors import DomainError
from shared.prctl import PR_SET_PDEATHSIG, prctl

MEMORY_BYTES = 1216 * 1024 * 1024
"""Address space for 50 megapixels, and for more of them in proportion.

Measured there in MiB, the formats' worst: WebP, transparent and turned, 1082; JPEG in CMYK, turned
and progressive, 810; AVIF 480; HEIC 449; PNG 432; GIF 129.
"""
FILE_BYTES = MEMORY_BYTES // 2
"""The largest file that a decoder may write, for the same number of pixels.

A decoder holds a file in memory before it writes it, beside the pixels that it encodes, which take
at least as many bytes. A file that is not encoded again is no larger than its upload.
"""


def run_job(job: ipc.Message, files: JobFiles) -> ipc.Message:
    """Decode one picture; return what it is, or why it is refused."""
    try:
        info = render(files, DecodeLimits(**job))
    except DomainError as refusal:
        return {"refused": refusal.code, "detail": refusal.detail}
    except MemoryError:
        return {"refused": ImageLimitExceeded.code, "detail": None}
    except OSError as failed:
        return {"failed": failed.errno}
    return asdict(info)


def main(
    parent: int,
    handle: Callable[[ipc.Message, JobFiles], ipc.Message] = run_job,
    scale: float = 1,
) -> None:
    """Process jobs until standard input ends; `scale` is that of `DecodeLimits`."""
    _die_with_parent(parent)
    jobs, responses = socket.socket(fileno=os.dup(0)), _redirect_standard_output()
    load_codecs()
    limits = {
        resource.RLIMIT_AS: int(scale * MEMORY_BYTES),
        resource.RLIMIT_FSIZE: int(scale * FILE_BYTES),
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in limits.items():
        resource.setrlimit(kind, (most, most))
    responses.write(ipc.pack({"sandbox": enter_sandbox()}))
    while (received := ipc.receive(jobs)) is not None:
        job, files = received[0], JobFiles(received[1])
        result = handle(job, files)
        files.close()
        responses.write(ipc.pack(result))


def _die_with_parent(parent: int) -> None:
    """Ask the kernel for SIGKILL when the parent ends, also when it ended just now."""
    with suppress(OSError):
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)


def _redirect_standard_output() -> BinaryIO:
    """Keep the pipe for responses: what a library prints goes to standard error."""
    responses = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return responses


if __name__ == "__main__":
    main(int(sys.argv[1]), scale=float(sys.argv[2]))
