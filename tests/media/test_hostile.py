"""Hundreds of hostile pictures at one service: no fault, no monster, and others are served."""

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from media_service.image.worker.decoder import MEMORY_BYTES
from tests.support.long_runs import amount
from tests.support.media_client import MediaClient, files_below, picture_form
from tests.support.picture_corpus import Named, corpus

pytestmark = pytest.mark.usefixtures("measured_workers")
SENDERS = 2  # as many as decode: nobody waits for another's picture
VERDICTS = {201, 415, 422}


@pytest.fixture(scope="module")
def pictures() -> list[Named]:
    return corpus()


def workers() -> list[int]:
    """This service's decoding processes, by what they were started with."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if (
                b"media_service.image.worker.decoder" in command
                and str(os.getpid()).encode() in command
            ):
                found.append(int(entry.name))
    return found


def peak(process: int) -> int:
    """The most address space that the process ever had, in bytes."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmPeak"))


@pytest.mark.long
async def test_hostile_pictures_get_verdicts_and_no_server_error(
    serving_media: Callable[..., Any], pictures: list[Named], files: Path
) -> None:
    """Send all pictures; in `make test` every fifth of them."""
    assert len(pictures) > 500
    async with serving_media(image_workers=2, user_uploads_per_day=1_000_000) as media:
        waiting, verdicts, faults, served = pictures[:: amount(5, 1)], Counter[int](), [], 0
        loop, took = asyncio.get_running_loop(), list[tuple[float, str]]()

        async def send(client: MediaClient) -> None:
            while waiting:
                name, picture = waiting.pop()
                started = loop.time()
                answer = await client.send(picture_form(picture))
                verdicts[answer.status] += 1
                took.append((loop.time() - started, name))
                if answer.status not in VERDICTS:
                    faults.append((name, answer.status, took[-1][0]))

        async def others() -> None:
            nonlocal served
            while waiting:
                assert (await media.call("GET", "/creatives")).status == 200
                served += 1
                await asyncio.sleep(0.02)

        senders = [media.as_other_user() for _ in range(SENDERS)]
        await asyncio.gather(others(), *(send(one) for one in senders))
        print(dict(verdicts), served, max(took))
        assert faults == []
        assert served > 10
        found = workers()
        assert found
        assert max(peak(one) for one in found) <= MEMORY_BYTES
        assert (await media.send(picture_form())).status == 201
        kept = {path.name for path in files_below(files)}
    assert kept == {"original", "preview", "thumb"}
    assert verdicts[201] > amount(10, 50)
    assert verdicts[422] > amount(40, 200)
