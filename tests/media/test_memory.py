"""64 uploads of 10 MiB at once: the service's memory hardly grows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tests.support.media import FORM, MediaClient, picture_form
from tests.support.pictures import noise

MIB = 1024 * 1024
UPLOADS, USERS = 64, 8


def memory(process: BaseProcess, what: str) -> int:
    """A figure of the process in bytes: VmRSS now, VmHWM at its highest."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(what))


async def test_memory_stays_flat(running_media: Callable[..., Any]) -> None:
    body = picture_form(noise(10 * MIB))

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), MIB):
            yield body[at : at + MIB]

    async with running_media() as (process, media):
        users = [MediaClient.of(media.http, media.mint) for _ in range(USERS)]
        await users[0].upload()
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # forget the peak so far
        before = memory(process, "VmRSS")

        async def upload(number: int) -> int:
            client = users[number % USERS]
            return (await client.call("POST", "/creatives", data=pieces(), headers=FORM)).status

        loop = asyncio.get_running_loop()
        started = loop.time()
        statuses = await asyncio.gather(*(upload(number) for number in range(UPLOADS)))
        seconds = loop.time() - started
        growth = memory(process, "VmHWM") - before
        print(f"grew by {growth / MIB:.0f} MiB from {before / MIB:.0f} MiB in {seconds:.1f} s")
    assert statuses == [201] * UPLOADS
    assert growth < 64 * MIB
