"""A decoder that dies, lies or is slow: what it costs, and what is said of the picture."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest

from media_service.image.model import DecodeLimits
from media_service.image.worker.job_time import cpu_seconds
from media_service.image.worker.pool import open_decoder_pool
from media_service.image.worker.process import DecoderProcess
from shared.errors import ServiceUnavailable
from tests.support.decoders import StartedDecoders, is_picture, process_ids
from tests.support.pictures import encode

pytestmark = pytest.mark.usefixtures("measured_workers")
LIMITS = DecodeLimits(50_000_000)
ALICE = UUID(int=1)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture"
    path.write_bytes(encode("PNG"))
    return path


async def test_decoder_killed_between_jobs_is_replaced_and_picture_decodes(picture: Path) -> None:
    async with open_decoder_pool(1, LIMITS) as pool:
        assert is_picture(await pool.render(picture, ALICE))
        [first] = process_ids(pool)
        os.kill(first, signal.SIGKILL)
        assert is_picture(await pool.render(picture, ALICE))
        [second] = process_ids(pool)
        assert second != first
    assert not Path(f"/proc/{second}").exists()


@pytest.mark.parametrize("deadly", [signal.SIGSEGV, signal.SIGKILL, signal.SIGXCPU])
async def test_decoder_killed_within_job_picture_decodes_in_another(
    deadly: signal.Signals, picture: Path, decoders: StartedDecoders
) -> None:
    async with open_decoder_pool(1, LIMITS) as pool:
        [process] = process_ids(pool)
        os.kill(process, signal.SIGSTOP)
        asking = asyncio.create_task(pool.render(picture, ALICE))
        await asyncio.sleep(0.05)
        os.kill(process, deadly)
        with suppress(ProcessLookupError):  # SIGKILL ends a stopped process at once
            os.kill(process, signal.SIGCONT)
        assert is_picture(await asking)
        assert decoders.count == 2


async def test_decoder_killed_twice_is_unavailable(
    picture: Path, decoders: StartedDecoders
) -> None:
    decoders.run(
        "import ctypes", "worker.main(PARENT, handle=lambda job, files: ctypes.string_at(0))"
    )
    async with open_decoder_pool(1, LIMITS) as pool:
        with pytest.raises(ServiceUnavailable):
            await pool.render(picture, ALICE)
        assert decoders.count == 2
        decoders.run("worker.main(PARENT)")
        assert is_picture(await pool.render(picture, ALICE))


async def test_decoder_abandoned_while_starting_does_not_answer_the_next_job(
    picture: Path, decoders: StartedDecoders
) -> None:
    worker = DecoderProcess(LIMITS)
    abandoned = asyncio.create_task(worker.render(picture))
    while not (starting := worker.pid):
        await asyncio.sleep(0.001)
    abandoned.cancel()
    with pytest.raises(asyncio.CancelledError):
        await abandoned
    assert not Path(f"/proc/{starting}").exists()
    assert is_picture(await worker.render(picture))
    assert decoders.count == 2
    await worker.stop()


async def test_decoder_whose_cpu_sum_is_ahead_decodes_the_next_picture(
    picture: Path, decoders: StartedDecoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel has counted more than the process was told: by ticks, over its whole life."""
    monkeypatch.setattr("media_service.image.worker.process.CPU_SECONDS", 1)
    decoders.run(
        "import resource, time, types",
        "while time.process_time() < 1.3: pass",
        "told = types.SimpleNamespace(ru_utime=0.0, ru_stime=0.0)",
        "resource.getrusage = lambda who: told",
        "worker.main(PARENT)",
    )
    async with open_decoder_pool(1, LIMITS) as pool:
        for _ in range(3):
            assert is_picture(await pool.render(picture, ALICE))
    assert decoders.count == 1


async def test_service_that_stalls_does_not_blame_the_picture(
    picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_service.image.worker.process.WALL_SECONDS", 1)
    async with open_decoder_pool(1, LIMITS) as pool:
        asking = asyncio.create_task(pool.render(picture, ALICE))
        await asyncio.sleep(0.01)
        time.sleep(1.1)
        assert is_picture(await asking)


@pytest.mark.parametrize(
    "answer",
    [
        "{'refused': 'no such code', 'detail': None}",
        "{'refused': 'broken_image', 'detail': ['no text']}",
        "[]",
        "GOOD | {'content_type': 'text/html'}",
        "GOOD | {'width': '64'}",
        "GOOD | {'placeholder': ''}",
        "GOOD | {'renditions': GOOD['renditions'][:1]}",
        "GOOD | {'renditions': [{'variant': '../x', 'size': 1, 'sha256': 'f' * 64}] * 3}",
        "GOOD | {'more': 1}",
    ],
)
async def test_decoder_answering_nonsense_is_unavailable(
    answer: str, picture: Path, decoders: StartedDecoders
) -> None:
    """A picture that takes its decoder over says nothing but what a picture can be."""
    decoders.run(
        "from tests.support.decoder_attacks import any_answer",
        "def lie(job, files):",
        "    GOOD = any_answer(files)",
        f"    return {answer}",
        "worker.main(PARENT, handle=lie)",
    )
    async with open_decoder_pool(1, LIMITS) as pool:
        with pytest.raises(ServiceUnavailable):
            await pool.render(picture, ALICE)
    assert decoders.count == 2


async def test_file_that_cannot_be_opened_leaves_the_decoder_alone(
    tmp_path: Path, picture: Path
) -> None:
    async with open_decoder_pool(1, LIMITS) as pool:
        before = process_ids(pool)
        with pytest.raises(FileNotFoundError):
            await pool.render(tmp_path / "absent", ALICE)
        assert is_picture(await pool.render(picture, ALICE))
        assert process_ids(pool) == before


def test_cpu_seconds_are_those_of_the_process() -> None:
    before = time.process_time()
    counted = cpu_seconds(os.getpid())
    assert before <= counted <= time.process_time()
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    ended.wait()
    assert cpu_seconds(ended.pid) == 0
