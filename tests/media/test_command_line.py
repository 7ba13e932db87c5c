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


async def test_serve_command_on_sigterm_ends_with_0(
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


async def test_sweep_command_removes_stale_temp_files(
    media_environment: dict[str, str], files: Path
) -> None:
    staging = files / "staging"
    await asyncio.to_thread(staging.mkdir, parents=True)
    await asyncio.to_thread((staging / "left").write_bytes, b"x")
    process = await start(media_environment, "sweep", "--older-than", "0")
    output, _ = await process.communicate()
    assert process.returncode == 0
    assert b"temporary files removed: 1, orphans removed: 0, files missing: 0" in output
    assert files_below(files) == []


async def test_serve_command_invalid_setting_prints_one_line(
    media_environment: dict[str, str],
) -> None:
    process = await start(media_environment | {"STORAGE_URL": "ftp://bucket"}, "serve")
    output, errors = await process.communicate()
    assert process.returncode == 1
    assert output == b""
    assert errors.count(b"\n") == 1
    assert b"STORAGE_URL" in errors
