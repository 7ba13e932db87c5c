"""Reconciling rows and files, in both directions."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.support.clock import MovableClock
from tests.support.command_process import run_command, wait_for_exit
from tests.support.media_client import MediaClient, files_below
from tests.support.waiting import until

Sweep = Callable[..., Awaitable[tuple[int | None, str]]]


@pytest.fixture
def reconcile(media_environment: dict[str, str], tmp_path: Path) -> Sweep:
    """Runs `python -m media_service sweep`; its exit code and its last line."""

    async def run(*arguments: str, **changes: str) -> tuple[int | None, str]:
        output, environment = tmp_path / "sweep.log", media_environment | changes
        command = ("sweep", *arguments)
        async with run_command(
            "media_service", *command, environment=environment, output=output
        ) as it:
            code = await wait_for_exit(it)
        return code, output.read_text().splitlines()[-1]

    return run


def orphan(files: Path, hours_ago: float = 0) -> Path:
    path = files / "objects" / str(uuid4()) / str(uuid4()) / "original"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    moment = path.stat().st_mtime - hours_ago * 3600
    os.utime(path, (moment, moment))
    return path


async def test_sweep_removes_orphans_and_keeps_known_files(
    media: MediaClient, files: Path, reconcile: Sweep
) -> None:
    created = await media.upload()
    lonely, temp_file = orphan(files), files / "staging" / "left"
    temp_file.write_bytes(b"x")
    foreign = files / "objects" / "lost+found" / "a" / "b"
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"x")
    code, line = await reconcile("--older-than", "0")
    assert (code, line) == (0, "temporary files removed: 1, orphans removed: 1, files missing: 0")
    assert not lonely.exists()
    assert not lonely.parents[1].exists()
    assert not temp_file.exists()
    assert foreign.exists()
    assert (await media.call("GET", f"/creatives/{created['id']}/file")).status == 200


async def test_sweep_keeps_files_touched_within_the_grace(
    media: MediaClient, files: Path, reconcile: Sweep
) -> None:
    """A rename keeps the old mtime; the ctime shows that the file has only just been moved."""
    fresh, temp_file = orphan(files, hours_ago=5), files / "staging" / "uploading"
    temp_file.write_bytes(b"x")
    assert await reconcile() == (
        0,
        "temporary files removed: 0, orphans removed: 0, files missing: 0",
    )
    assert sorted(files_below(files)) == sorted([fresh, temp_file])
    assert (await media.call("GET", "/creatives")).body["items"] == []


async def test_sweep_missing_file_is_reported_and_row_kept(
    media: MediaClient, files: Path, reconcile: Sweep
) -> None:
    lost, kept = await media.upload(), await media.upload()
    (files / "objects" / str(media.user_id) / lost["id"] / "original").unlink()
    code, line = await reconcile("--older-than", "0")
    assert (code, line) == (1, "temporary files removed: 0, orphans removed: 0, files missing: 1")
    assert (await media.call("GET", f"/creatives/{lost['id']}")).status == 200
    assert (await media.call("GET", f"/creatives/{kept['id']}/file")).status == 200


@pytest.mark.usefixtures("rare_jobs")
async def test_sweep_runs_at_service_start(
    serving_media: Callable[..., Any], files: Path, clock: MovableClock
) -> None:
    lonely = orphan(files)
    clock.advance(hours=2)
    async with serving_media() as media:
        await until(lambda: not files_below(files))
        assert (await media.call("GET", "/creatives")).body["items"] == []
    assert not lonely.exists()


async def test_sweep_without_database_prints_one_line(
    reconcile: Sweep,
) -> None:
    away = {"MEDIA_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    code, line = await reconcile("--older-than", "0", **away)
    assert code == 1
    assert line.startswith("sweep: ServiceUnavailable: The database cannot be reached, caused by ")
