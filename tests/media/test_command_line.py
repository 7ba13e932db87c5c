"""`python -m media_service`, as an operator types it."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from redis.asyncio import Redis

from tests.support.media_client import files_below
from tests.support.tokens import open_epoch


async def start(environment: dict[str, str], *arguments: str) -> Process:
    command = (sys.executable, "-m", "media_service", *arguments)
    return await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stderr=PIPE)


async def test_it_serves_until_it_is_told_to_end(
    media_environment: dict[str, str], redis: Redis
) -> None:
    await open_epoch(redis)
    process = await start(media_environment, "serve")
    assert process.stdout is not None
    async with asyncio.timeout(30):
        while b"service.started" not in await process.stdout.readline():
            pass
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 0


async def test_it_sweeps(media_environment: dict[str, str], files: Path) -> None:
    staging = files / "staging"
    await asyncio.to_thread(staging.mkdir, parents=True)
    await asyncio.to_thread((staging / "left").write_bytes, b"x")
    process = await start(media_environment, "sweep", "--older-than", "0")
    output, _ = await process.communicate()
    assert process.returncode == 0
    assert b"temporary files removed: 1, orphans removed: 0, files missing: 0" in output
    assert files_below(files) == []


async def test_a_wrong_setting_is_one_line(media_environment: dict[str, str]) -> None:
    process = await start(media_environment | {"STORAGE_URL": "ftp://bucket"}, "serve")
    output, errors = await process.communicate()
    assert process.returncode == 1
    assert output == b""
    assert errors.count(b"\n") == 1
    assert b"STORAGE_URL" in errors
