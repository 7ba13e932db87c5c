"""The decoders that the suite's services share, one test after the other."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from media_service.image.model import DecodeLimits
from tests.support.decoders import DecoderLender, StartedDecoders, is_picture
from tests.support.pictures import encode
from tests.support.waiting import until

LIMITS = DecodeLimits(1_000_000)
OWNER = UUID(int=1)


@pytest.fixture
def lender() -> Iterator[DecoderLender]:
    made = DecoderLender()
    with made.running():
        yield made


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture"
    path.write_bytes(encode("PNG"))
    return path


async def test_lent_decoder_given_back_serves_the_next_service(
    lender: DecoderLender, picture: Path
) -> None:
    ids = []
    for _ in range(2):
        async with lender.open_pool(1, LIMITS) as pool:
            assert is_picture(await pool.render(picture, OWNER))
        ids += lender.process_ids()
    assert len(ids) == 2
    assert len(set(ids)) == 1


async def test_lent_decoder_of_a_cancelled_job_has_ended_and_is_replaced(
    lender: DecoderLender, picture: Path
) -> None:
    async with lender.open_pool(1, LIMITS) as pool:
        await pool.render(picture, OWNER)
    files = set(picture.parent.iterdir())
    for file in files - {picture}:
        file.unlink()
    [stopped] = lender.process_ids()
    os.kill(stopped, signal.SIGSTOP)
    async with lender.open_pool(1, LIMITS) as pool:
        abandoned = asyncio.create_task(pool.render(picture, OWNER))
        await until(lambda: set(picture.parent.iterdir()) == files)  # opened: the job is sent
        abandoned.cancel()
        with pytest.raises(asyncio.CancelledError):
            await abandoned
        assert not Path(f"/proc/{stopped}").exists()
        assert is_picture(await pool.render(picture, OWNER))


async def test_decoder_with_a_program_of_the_test_is_not_lent(
    lender: DecoderLender, decoders: StartedDecoders, picture: Path
) -> None:
    async with lender.open_pool(1, LIMITS) as pool:
        await pool.render(picture, OWNER)
    assert decoders.count == 1
    assert not lender.process_ids()


async def test_lent_decoder_ends_with_its_lender(picture: Path) -> None:
    lender = DecoderLender()
    with lender.running():
        async with lender.open_pool(1, LIMITS) as pool:
            await pool.render(picture, OWNER)
        [lent] = lender.process_ids()
    assert not Path(f"/proc/{lent}").exists()
