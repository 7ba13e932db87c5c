"""A decoder that a picture has taken over and that lies: what the service believes, and stores."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from media_service.image.errors import BrokenImage
from media_service.image.model import DecodeLimits
from media_service.image.worker.decoder import FILE_BYTES
from media_service.image.worker.idle_state import IDLE_CPU_SECONDS
from media_service.image.worker.job_time import cpu_seconds
from media_service.image.worker.pool import open_decoder_pool
from shared.errors import ServiceUnavailable
from tests.support.decoders import StartedDecoders, is_picture, process_ids
from tests.support.media_client import files_below, picture_form
from tests.support.picture_corpus import KINDS
from tests.support.pictures import encode

LIMITS = DecodeLimits(50_000_000)
ALICE = UUID(int=1)
HEAD = ("import os", "from tests.support.decoder_attacks import any_answer")
KEPT = {
    "threads": "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    "files": "kept = os.dup(files.target('original'))",
    "files in the place of its own": "os.close(0); os.dup(files.target('original'))",
}
"""What a decoder has after its answer: a way to compute, or to write what is already measured."""
LIES = {
    "more written than told": "os.write(files.target('preview'), b'x' * 4096)",
    "less written than told": "answer['renditions'][2]['size'] += 1",
    "size of no file": "answer['renditions'][0]['size'] = 2**70",
    "long side": "answer['width'] = 2**40",
    "side over the bound": "answer['height'] = 12_001",
    "too many pixels": "answer |= {'width': 12_000, 'height': 12_000}",
    "true for a width": "answer['width'] = True",
    "true for a number of an error": "answer = {'failed': True}",
    "text for a number of an error": "answer = {'failed': '28'}",
}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture"
    path.write_bytes(encode("PNG"))
    return path


def start_lying_decoders(decoders: StartedDecoders, *lines: str) -> None:
    """Let decoders answer with what these lines make of `answer`, which would be believed."""
    body = ("answer = any_answer(files)", *lines, "return answer")
    function = "\n    ".join(["def lie(job, files):", *body])
    decoders.run(*HEAD, function, "worker.main(PARENT, handle=lie)")


async def test_decoder_honest_answer_is_accepted(picture: Path, decoders: StartedDecoders) -> None:
    """Or the tests below would prove nothing."""
    start_lying_decoders(decoders)
    async with open_decoder_pool(1, LIMITS) as pool:
        assert (await pool.render(picture, ALICE)).stored_bytes == 3
    assert decoders.count == 1


@pytest.mark.parametrize("name", LIES)
async def test_decoder_lying_twice_is_unavailable(
    name: str, picture: Path, decoders: StartedDecoders
) -> None:
    start_lying_decoders(decoders, LIES[name])
    async with open_decoder_pool(1, LIMITS) as pool:
        with pytest.raises(ServiceUnavailable):
            await pool.render(picture, ALICE)
        assert decoders.count == 2
        decoders.run("worker.main(PARENT)")
        assert is_picture(await pool.render(picture, ALICE))


@pytest.mark.parametrize("name", LIES)
async def test_decoder_lying_to_an_upload_is_503_and_keeps_nothing(
    name: str,
    decoders: StartedDecoders,
    files: Path,
    serving_media: Callable[..., Any],
) -> None:
    start_lying_decoders(decoders, LIES[name])
    async with serving_media() as media:
        assert (await media.send(picture_form())).status == 503
        assert files_below(files) == []


async def test_decoder_writing_without_end_is_stopped_at_the_file_limit(
    picture: Path, decoders: StartedDecoders
) -> None:
    """The files are sparse: only their ends are written."""
    start_lying_decoders(
        decoders,
        "try:",
        f"    os.lseek(files.target('original'), {FILE_BYTES - 1}, os.SEEK_SET)",
        "    os.write(files.target('original'), b'xx')",
        "    os.write(files.target('original'), b'x')",
        "except OSError as failed:",
        "    answer = {'failed': failed.errno}",
    )
    async with open_decoder_pool(1, LIMITS) as pool:
        with pytest.raises(OSError, match="File too large"):
            await pool.render(picture, ALICE)
    original = picture.with_name("picture.original")
    assert original.stat().st_size == FILE_BYTES


async def test_decoder_hostile_detail_is_cut_and_has_no_surrogate(
    picture: Path, decoders: StartedDecoders
) -> None:
    detail = "'\\ud800\\n' + 'x' * 30_000"
    start_lying_decoders(decoders, f"answer = {{'refused': 'broken_image', 'detail': {detail}}}")
    async with open_decoder_pool(1, LIMITS) as pool:
        with pytest.raises(BrokenImage) as refused:
            await pool.render(picture, ALICE)
    assert refused.value.detail == "??" + "x" * 198


@pytest.mark.parametrize("name", KEPT)
async def test_decoder_leaving_threads_or_descriptors_is_replaced(
    name: str, picture: Path, decoders: StartedDecoders
) -> None:
    start_lying_decoders(decoders, "import threading, time", KEPT[name])
    async with open_decoder_pool(1, LIMITS) as pool:
        [process] = process_ids(pool)
        assert (await pool.render(picture, ALICE)).stored_bytes == 3
        assert not Path(f"/proc/{process}").exists()
        decoders.run("worker.main(PARENT)")
        assert is_picture(await pool.render(picture, ALICE))
    assert decoders.count == 2


async def test_decoder_computing_between_jobs_is_replaced_before_the_next(
    picture: Path, decoders: StartedDecoders
) -> None:
    decoders.run(
        "from media_service.image.worker import ipc",
        "def burn(jobs):",
        "    while burnt: pass",
        "    burnt.append(1)",
        "    return received(jobs)",
        "burnt, received, ipc.receive = [], ipc.receive, burn",
        "worker.main(PARENT)",
    )
    async with open_decoder_pool(1, LIMITS) as pool:
        [process] = process_ids(pool)
        assert is_picture(await pool.render(picture, ALICE))
        before = cpu_seconds(process)
        async with asyncio.timeout(20):
            while cpu_seconds(process) - before < 2 * IDLE_CPU_SECONDS:
                await asyncio.sleep(0.05)
        assert is_picture(await pool.render(picture, ALICE))
    assert decoders.count == 2


async def test_decoder_honest_is_kept_for_every_format(
    tmp_path: Path, decoders: StartedDecoders
) -> None:
    path = tmp_path / "picture"
    async with open_decoder_pool(1, LIMITS) as pool:
        for kind in KINDS:
            path.write_bytes(encode(kind))
            assert (await pool.render(path, ALICE)).content_type == f"image/{kind.lower()}"
    assert decoders.count == 1


async def test_decoder_after_many_jobs_is_replaced(
    picture: Path, decoders: StartedDecoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_service.image.worker.idle_state.MAX_JOBS", 2)
    async with open_decoder_pool(1, LIMITS) as pool:
        for _ in range(3):
            assert is_picture(await pool.render(picture, ALICE))
    assert decoders.count == 2
