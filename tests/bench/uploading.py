"""Uploads: beside a bare handler that streams the same bytes to a file, and very many at once."""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from uuid import uuid4

from aiohttp import ClientSession, TCPConnector
from PIL import Image

from tests.bench.bench import Bench
from tests.bench.child import BenchError, Child
from tests.bench.table import Figure, at_most, brief, ratios
from tests.support.media_client import BOUNDARY, MEDIA, picture_form
from tests.support.pictures import noise

MIB = 1024 * 1024
SHARE = 0.7
UPLOADS_A_ROUND, AT_ONCE = 24, 4
MANY, MANY_USERS, MOST_GROWTH_MB = 200, 25, 170
LOOK_SECONDS = 0.05
PIECE_BYTES = 256 * 1024
TYPICAL_BOUNDARY = "d1a5c3f0b7e94e2f8a6d4b9c0e7f1a23"
"""As long as aiohttp's and curl's and browsers'; the tests' own is short, which takes longer."""
SIDES = (3240, 2420)


@dataclass(frozen=True)
class Target:
    """Where uploads go, how each is signed, and what must be answered."""

    server: Child
    path: str
    token: Callable[[], str]
    expect: int


def photograph() -> bytes:
    """A JPEG of 10 MiB, every byte of which is picture."""
    image = Image.effect_noise(SIDES, 90).convert("RGB")
    quality = 99
    while True:
        target = io.BytesIO()
        image.save(target, "JPEG", quality=quality, subsampling=0)
        if target.tell() <= 10 * MIB:
            return target.getvalue()
        quality -= 1


def posted(picture: bytes) -> bytes:
    """The form with the picture as a usual client frames it."""
    return picture_form(picture).replace(BOUNDARY.encode(), TYPICAL_BOUNDARY.encode())


async def _upload(session: ClientSession, target: Target, body: bytes, token: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), PIECE_BYTES):
            yield body[at : at + PIECE_BYTES]

    url = f"http://127.0.0.1:{target.server.port}{target.path}"
    headers = {
        "Content-Type": f"multipart/form-data; boundary={TYPICAL_BOUNDARY}",
        "Content-Length": str(len(body)),
        "Authorization": f"Bearer {token}",
    }
    async with session.post(url, data=pieces(), headers=headers) as answer:
        if answer.status != target.expect:
            raise BenchError(f"an upload was answered {answer.status}: {await answer.text()}")


async def _round(session: ClientSession, target: Target, body: bytes) -> float:
    """CPU ms of one upload, of the server process alone: pictures are decoded in others."""
    token, before = target.token(), target.server.cpu()
    for _ in range(0, UPLOADS_A_ROUND, AT_ONCE):
        await asyncio.gather(*(_upload(session, target, body, token) for _ in range(AT_ONCE)))
    return (target.server.cpu() - before) * 1000 / UPLOADS_A_ROUND


async def upload(bench: Bench) -> list[Figure]:
    """CPU of a 10 MiB upload until it is stored, the processing of the picture apart."""
    body, mint = posted(await asyncio.to_thread(photograph)), bench.stack.mint()
    with bench.stack.auth(), bench.stack.media() as media, bench.stack.floors() as floors:
        real = Target(media, f"{MEDIA}/creatives", lambda: mint.token(uuid4()), 201)
        floor = Target(floors, "/upload", lambda: "none", 200)
        async with ClientSession() as session:
            pairs = [
                (await _round(session, real, body), await _round(session, floor, body))
                for _ in range(bench.options.rounds + 1)
            ]
    mine, bare = zip(*pairs[1:], strict=True)  # the first round warms up
    share = ratios(bare, mine)
    return [
        Figure(
            f"upload of {len(body) / MIB:.1f} MiB",
            f"{median(mine):.1f} ms",
            floor=f"{median(bare):.1f} ms",
            ratio=f"{share:.0%} of CPU floor",
            target=f"≥ {SHARE:.0%}",
            met=share >= SHARE,
            raw={"real_cpu_ms": mine, "floor_cpu_ms": bare, "ratio_cpu": share},
        )
    ]


def memory(server: Child, what: str) -> float:
    """A figure of the process in MB: VmRSS now, VmHWM at its highest."""
    lines = Path(f"/proc/{server.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(what))


async def lags(session: ClientSession, server: Child) -> list[float]:
    """How long `/healthz` takes, in ms, until cancelled."""
    found: list[float] = []
    url = f"http://127.0.0.1:{server.port}/healthz"
    try:
        while True:
            began = time.perf_counter()
            async with session.get(url) as answer:
                await answer.read()
            found.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(LOOK_SECONDS)
    except asyncio.CancelledError:
        return found


async def many_uploads(bench: Bench) -> list[Figure]:
    """200 uploads of 10 MiB at once: memory, bytes a second, and how others are answered."""
    body, mint = posted(noise(10 * MIB)), bench.stack.mint()
    tokens = [mint.token(uuid4()) for _ in range(MANY_USERS)]
    with bench.stack.auth(), bench.stack.media() as media:
        target = Target(media, f"{MEDIA}/creatives", lambda: tokens[0], 201)
        async with (
            ClientSession(connector=TCPConnector(limit=0)) as session,
            ClientSession() as other,
        ):
            await _upload(session, target, body, tokens[0])
            Path(f"/proc/{media.pid}/clear_refs").write_text("5")  # forget the peak so far
            before, began, cpu = memory(media, "VmRSS"), time.perf_counter(), media.cpu()
            looking = asyncio.create_task(lags(other, media))
            chosen = [tokens[number % MANY_USERS] for number in range(MANY)]
            await asyncio.gather(*(_upload(session, target, body, one) for one in chosen))
            seconds, cpu = time.perf_counter() - began, media.cpu() - cpu
            looking.cancel()
            waits = sorted(await looking)
            growth = memory(media, "VmHWM") - before
    rate = MANY * len(body) / MIB / seconds
    return [
        at_most(f"memory of {MANY} uploads at once", growth, MOST_GROWTH_MB, "MB"),
        Figure(f"rate of {MANY} uploads at once", f"{rate:.0f} MiB/s, {cpu / MANY * 1000:.0f} ms"),
        Figure(
            f"/healthz beside {MANY} uploads",
            f"median {brief(median(waits))} ms, at most {brief(waits[-1])} ms",
        ),
    ]
