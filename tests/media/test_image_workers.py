"""The decoding processes: limited, replaced, and gone with their parent."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from media_service.image.errors import BrokenImage, ImageLimitExceeded, UnsupportedImage
from media_service.image.model import DecodeLimits
from media_service.image.worker import ipc
from media_service.image.worker.decoder import MEMORY_BYTES
from media_service.image.worker.pool import DecoderPool, open_decoder_pool
from media_service.image.worker.process import DecoderProcess
from shared.errors import ServiceUnavailable
from tests.support import heic_samples
from tests.support.decoders import StartedDecoders, is_picture, process_ids
from tests.support.pictures import blank_png, encode, many_scans

pytestmark = pytest.mark.usefixtures("measured_workers")
LIMITS = DecodeLimits(50_000_000)
ALICE, BOB = UUID(int=1), UUID(int=2)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture"
    path.write_bytes(encode("PNG"))
    return path


@pytest.fixture
def heavy(tmp_path: Path) -> Path:
    path = tmp_path / "heavy"
    path.write_bytes(blank_png(8000, 5000))
    return path


async def test_decoder_wall_time_exceeded_is_broken_image_without_retry(
    heavy: Path, picture: Path, decoders: StartedDecoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_decoder_pool(1, LIMITS) as pool:
        monkeypatch.setattr("media_service.image.worker.process.WALL_SECONDS", 0.02)
        with pytest.raises(BrokenImage):
            await pool.render(heavy, ALICE)
        assert decoders.count == 1
        monkeypatch.undo()
        assert is_picture(await pool.render(picture, ALICE))


async def test_decoder_cpu_time_exceeded_is_broken_image_without_retry(
    tmp_path: Path, picture: Path, decoders: StartedDecoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "slow"
    slow.write_bytes(many_scans((8000, 5000), 40))
    async with open_decoder_pool(1, LIMITS) as pool:
        monkeypatch.setattr("media_service.image.worker.process.CPU_SECONDS", 0)
        with pytest.raises(BrokenImage):
            await pool.render(slow, ALICE)
        assert decoders.count == 1
        monkeypatch.undo()
        for _ in range(3):  # the processor time of earlier jobs does not count
            assert is_picture(await pool.render(picture, ALICE))


async def test_decoder_memory_exceeded_is_limit_error_and_decoder_lives(
    heavy: Path, decoders: StartedDecoders
) -> None:
    """With a limit 24 MiB above what an idle process has, a picture of 40 MB is too large."""
    decoders.run(
        "import pathlib",
        "pages = int(pathlib.Path('/proc/self/statm').read_text().split()[0])",
        f"worker.MEMORY_BYTES = pages * {os.sysconf('SC_PAGESIZE')} + 24 * 1024 * 1024",
        "worker.main(PARENT)",
    )
    async with open_decoder_pool(1, LIMITS) as pool:
        process = process_ids(pool)
        with pytest.raises(ImageLimitExceeded):
            await pool.render(heavy, ALICE)
        assert process_ids(pool) == process


async def test_decoder_of_larger_pictures_has_more_memory() -> None:
    async with open_decoder_pool(1, DecodeLimits(120_000_000)) as pool:
        [pid] = process_ids(pool)
        limits = Path(f"/proc/{pid}/limits").read_text()
    [line] = [one for one in limits.splitlines() if one.startswith("Max address space")]
    assert int(line.split()[3]) == int(2.4 * MEMORY_BYTES)


async def test_decoder_without_heic_refuses_it_and_names_the_cure(
    tmp_path: Path, decoders: StartedDecoders
) -> None:
    picture = tmp_path / "picture"
    picture.write_bytes(heic_samples.PLAIN)
    decoders.run(
        "from media_service.image import decode",
        "decode.register_heif_opener = None",
        "worker.main(PARENT)",
    )
    async with open_decoder_pool(1, LIMITS) as pool:
        with pytest.raises(UnsupportedImage) as refused:
            await pool.render(picture, ALICE)
    assert refused.value.detail is not None
    assert {"HEIC", "JPEG,", "pi-heif."} <= set(refused.value.detail.split())


async def test_decoder_queue_full_refuses_with_retry_after(
    heavy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_service.image.worker.pool.QUEUE_PER_WORKER", 4)
    async with open_decoder_pool(1, LIMITS) as pool:
        waiting = [asyncio.create_task(pool.render(heavy, ALICE)) for _ in range(3)]
        await asyncio.sleep(0)
        assert pool.waiting == 2
        with pytest.raises(ServiceUnavailable) as refused:
            pool.require_capacity(ALICE)
        assert refused.value.retry_after > 0
        await asyncio.gather(*waiting)
        pool.require_capacity(ALICE)


async def test_decoder_queue_waiting_too_long_is_unavailable(
    heavy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_service.image.worker.pool.QUEUE_SECONDS", 0.01)
    async with open_decoder_pool(1, LIMITS) as pool:
        first = asyncio.create_task(pool.render(heavy, ALICE))
        await asyncio.sleep(0)
        with pytest.raises(ServiceUnavailable):
            await pool.render(heavy, ALICE)
        await first
        assert pool.waiting == 0


async def test_decoder_queue_full_line_of_one_owner_leaves_others_served(
    picture: Path, heavy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Owners take turns: Bob, who comes last, waits for one of Alice's pictures, not for three."""
    monkeypatch.setattr("media_service.image.worker.pool.QUEUE_PER_WORKER", 6)
    ended: list[str] = []

    async def render(pool: DecoderPool, path: Path, owner: UUID, name: str) -> None:
        await pool.render(path, owner)
        ended.append(name)

    async with open_decoder_pool(1, LIMITS) as pool:
        asking = [asyncio.create_task(render(pool, heavy, ALICE, f"alice {n}")) for n in range(4)]
        await asyncio.sleep(0)
        with pytest.raises(ServiceUnavailable):
            await pool.render(heavy, ALICE)
        asking.append(asyncio.create_task(render(pool, picture, BOB, "bob")))
        await asyncio.gather(*asking)
    assert ended.index("bob") <= 2


async def test_decoder_queue_full_refuses_upload_unread(
    serving_media: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_service.image.worker.pool.QUEUE_PER_WORKER", 0)
    async with serving_media() as media:
        reader, writer = await asyncio.open_connection(*media.address)
        writer.write(media.head(length=1_000_000))
        async with asyncio.timeout(5):
            answer = await reader.readuntil(b"}")
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 5" in answer
        writer.close()


async def test_decoder_abandoned_job_does_not_answer_the_next(heavy: Path, picture: Path) -> None:
    async with open_decoder_pool(1, LIMITS) as pool:
        os.kill(process_ids(pool)[0], signal.SIGSTOP)
        abandoned = asyncio.create_task(pool.render(heavy, ALICE))
        await asyncio.sleep(0)
        abandoned.cancel()
        with pytest.raises(asyncio.CancelledError):
            await abandoned
        assert is_picture(await pool.render(picture, ALICE))


async def test_decoder_that_cannot_start_is_unavailable(
    picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "media_service.image.worker.process.worker_command",
        lambda _: [sys.executable, "-c", "pass"],
    )
    with pytest.raises(ServiceUnavailable):
        await DecoderProcess(LIMITS).render(picture)


def test_decoder_processes_end_with_their_parent() -> None:
    program = (
        "import asyncio, os\n"
        "from media_service.image.model import DecodeLimits\n"
        "from media_service.image.worker.process import DecoderProcess\n"
        "async def main():\n"
        "    worker = DecoderProcess(DecodeLimits(1))\n"
        "    await worker.start()\n"
        "    print(worker.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=20
    )
    worker = int(ended.stdout.split()[-1])
    for _ in range(1000):
        if not Path(f"/proc/{worker}/cmdline").exists():
            return
        if not Path(f"/proc/{worker}/cmdline").read_bytes():
            return  # dead, and not yet reaped by its new parent
    pytest.fail("the process outlives its parent")


async def test_decoder_process_has_no_service_secrets_or_modules(
    picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_DATABASE_URL", "postgresql://secret")
    async with open_decoder_pool(1, LIMITS) as pool:
        [process] = process_ids(pool)
        assert b"secret" not in Path(f"/proc/{process}/environ").read_bytes()
        assert "aiohttp" not in Path(f"/proc/{process}/maps").read_text()
        resident = Path(f"/proc/{process}/statm").read_text().split()[1]
        assert int(resident) * os.sysconf("SC_PAGESIZE") < 60 * 1024 * 1024
    seen = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, media_service.image.worker.decoder as _; print(*sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"aiohttp", "asyncpg", "pydantic", "redis"} & set(seen.stdout.split())


def test_ipc_frames_too_long_are_refused() -> None:
    message = {"path": "ä" * 100}
    packed = ipc.pack(message)
    assert ipc.unpack(packed[ipc.LENGTH_BYTES :]) == message
    with pytest.raises(ValueError, match="too long"):
        ipc.frame_length(b"\xff\xff\xff\xff")
