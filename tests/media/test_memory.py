"""Very many uploads of 10 MiB at once: the service's memory hardly grows."""

import asyncio
import socket
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from tests.support.long_runs import amount
from tests.support.media_client import MediaClient, picture_form
from tests.support.pictures import encode

MIB, MB = 1024 * 1024, 10**6
USERS = 8
BOUNDS = {64: 64 * MIB} | ({200: 120 * MB} if amount(0, 1) else {})
"""How much memory so many uploads may take, beyond what the idle service has.

For 200 the contract allows 170 MB; they take 85 to 95. Without the bound on active readers they
take 135 to 175: not always more than 170, and always more than what is asked here. They write
2 GB, so only `make test-long` does that.
"""


def memory(process: BaseProcess, what: str) -> int:
    """A figure of the process in bytes, its children apart: VmRSS now, VmHWM at its highest."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(what))


async def upload(media: MediaClient, body: bytes) -> bytes:
    """Send the form over a connection of its own, from the one copy of it that there is."""
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.setblocking(False)
        await loop.sock_connect(connection, media.address)
        await loop.sock_sendall(connection, media.head("Connection: close", length=len(body)))
        await loop.sock_sendall(connection, body)
        return await loop.sock_recv(connection, 64)


@pytest.mark.long
@pytest.mark.parametrize("count", BOUNDS)
async def test_media_service_memory_during_uploads_stays_bounded(
    count: int, running_media: Callable[..., Any], media_environment: dict[str, str]
) -> None:
    """Every body is received and written to disk whole, 2 GB of them; the picture ends early.

    So it costs a decoder next to nothing: decoders have processes and memory of their own, and
    what is measured is the process that takes uploads in, all of it, at its highest.
    """
    media_environment["IMAGE_WORKERS"] = "2"  # a queue that holds all of them
    media_environment["REVOCATION_MAX_STALENESS"] = "25"  # 2 GB keep a busy machine's loop waiting
    picture = encode("PNG")
    body = picture_form(picture.ljust(10 * MIB, b"\0"))
    async with running_media() as (process, media):
        users = [MediaClient.of(media.http, media.mint) for _ in range(USERS)]
        await upload(users[0], body)
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # forget the peak so far
        before = memory(process, "VmRSS")
        uploads = (upload(users[number % USERS], body) for number in range(count))
        answers = await asyncio.gather(*uploads)
        growth = memory(process, "VmHWM") - before
        print(f"{count} uploads: {growth / MB:.0f} MB more than {before / MB:.0f} MB")
    assert {answer[:12] for answer in answers} == {b"HTTP/1.1 201"}
    assert growth < BOUNDS[count]
