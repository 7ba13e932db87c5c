"""kill -9 at eleven moments of an upload, and of a deletion: afterwards rows and files agree."""

import contextlib
import signal
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import ClientError

from media_service.image.model import VARIANTS
from media_service.picture.reconcile import ReconcileReport, reconcile
from media_service.storage.local import LocalStorage
from shared.clock import SystemClock
from shared.db import open_database
from shared.entropy import SystemEntropy
from tests.support.command_process import KillPoint, wait_for_exit
from tests.support.media_client import MediaClient, picture_form
from tests.support.pictures import encode

STAGED = "media_service.storage.temp_file.TempFile"
STORE = "media_service.storage.local"
DECODERS = "media_service.image.worker.pool.DecoderPool"
TABLE = "media_service.creative.repository"

UPLOAD = {
    "with an empty file": (KillPoint(f"{STAGED}._create", leaving=True), "staged"),
    "with the first bytes here": (KillPoint(f"{STAGED}._append"), "staged"),
    "with bytes on disk": (KillPoint(f"{STAGED}._append", leaving=True), "staged"),
    "with all bytes there": (KillPoint(f"{DECODERS}.render"), "staged"),
    "with the form read": (
        KillPoint("media_service.upload.request.read_form", leaving=True),
        "staged",
    ),
    "with the picture checked": (KillPoint(f"{DECODERS}.render", leaving=True), "staged"),
    "before the rename": (KillPoint(f"{STORE}._move_all"), "staged"),
    "after the rename": (KillPoint(f"{STORE}._sync"), "orphan, staged"),
    "before the row": (KillPoint(f"{TABLE}.insert"), "orphan, staged"),
    "with the row not committed": (KillPoint(f"{TABLE}.insert", leaving=True), "orphan, staged"),
    "after the row": (KillPoint(f"{STAGED}.close_and_delete"), "whole, staged"),
}
DELETION = {
    "before the row goes": (KillPoint(f"{TABLE}.delete"), "whole"),
    "after the row has gone": (KillPoint(f"{TABLE}.delete", leaving=True), "orphan"),
    "before the file goes": (KillPoint(f"{STORE}._remove"), "orphan"),
    "after the first file has gone": (KillPoint(f"{STORE}._remove", leaving=True), "orphan"),
}


async def rows(dsn: str) -> set[str]:
    connection = await asyncpg.connect(dsn)
    found = await connection.fetch("select user_id, id from creatives")
    await connection.close()
    return {f"{row['user_id']}/{row['id']}/{one}" for row in found for one in VARIANTS}


def objects(files: Path) -> set[str]:
    root = files / "objects"
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def count_temp_files(files: Path) -> int:
    return len(list((files / "staging").iterdir()))


async def run_sweep(dsn: str, files: Path) -> ReconcileReport:
    """Do what the next start of the service does, with no grace."""
    storage = LocalStorage(files, SystemClock(), SystemEntropy())
    async with open_database(dsn) as database:
        return await reconcile(database, storage, timedelta())


async def was_killed(process: BaseProcess) -> bool:
    return await wait_for_exit(process) == -signal.SIGKILL


async def check_leftovers(dsn: str, files: Path, left: str) -> None:
    """What the crash has left is as expected, and the sweep removes just that."""
    made = await rows(dsn)
    assert bool(made) == ("whole" in left)
    assert bool(objects(files)) == ("whole" in left or "orphan" in left)
    assert bool(count_temp_files(files)) == ("staged" in left)
    report = await run_sweep(dsn, files)
    assert bool(report.temp_files_removed) == ("staged" in left)
    assert bool(report.orphans_removed) == ("orphan" in left)
    assert report.files_missing == 0
    assert objects(files) == await rows(dsn) == made
    assert count_temp_files(files) == 0


@pytest.mark.parametrize("moment", UPLOAD)
async def test_upload_killed_at_each_step_leaves_consistent_files(
    moment: str, running_media: Callable[..., Any], media_dsn: str, files: Path
) -> None:
    death, left = UPLOAD[moment]
    async with running_media(death) as (process, media):
        with pytest.raises(ClientError):
            await media.send(picture_form(encode("PNG", (900, 700))))
        assert await was_killed(process)
    await check_leftovers(media_dsn, files, left)


@pytest.mark.parametrize("moment", DELETION)
async def test_deletion_killed_at_each_step_leaves_consistent_files(
    moment: str, running_media: Callable[..., Any], media_dsn: str, files: Path
) -> None:
    death, left = DELETION[moment]
    async with running_media(death) as (process, media):
        created = await media.upload()
        with contextlib.suppress(ClientError):  # it may be answered before the files go
            await media.call("DELETE", f"/creatives/{created['id']}")
        assert await was_killed(process)
    await check_leftovers(media_dsn, files, left)


async def test_upload_killed_before_commit_shows_no_creative(
    running_media: Callable[..., Any],
) -> None:
    async with running_media(KillPoint(f"{TABLE}.insert")) as (process, media):
        with pytest.raises(ClientError):
            await media.send(picture_form())
        assert await was_killed(process)
        user = media.user_id
    async with running_media() as (_, client):
        again = MediaClient.of(client.http, client.mint, user)
        assert (await again.call("GET", "/creatives")).body["items"] == []
