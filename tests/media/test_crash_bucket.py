"""kill -9 at moments of an upload to a bucket, and of a deletion: rows and objects agree."""

import contextlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError

from media_service.picture.reconcile import reconcile
from media_service.storage.factory import open_storage
from shared.clock import SystemClock
from shared.db import open_database
from shared.entropy import SystemEntropy
from tests.media.test_crash import rows, was_killed
from tests.support.command_process import KillPoint
from tests.support.media_client import picture_form
from tests.support.moto_bucket import CREDENTIALS, MotoBucket
from tests.support.pictures import grain

UPLOADER = "media_service.storage.s3_upload.S3Uploader"
UPLOAD = {
    "before the first part": KillPoint(f"{UPLOADER}._put_part"),
    "after the first part": KillPoint(f"{UPLOADER}._put_part", leaving=True),
    "with one object there": KillPoint(f"{UPLOADER}.put", leaving=True),
    "before the row": KillPoint("media_service.creative.repository.insert"),
    "after the row": KillPoint("media_service.storage.temp_file.TempFile.close_and_delete"),
}
DELETION = {
    "after the row has gone": KillPoint("media_service.creative.repository.delete", leaving=True),
    "before an object goes": KillPoint("media_service.storage.s3.S3Storage.delete"),
    "after the first object has gone": KillPoint(
        "media_service.storage.s3.S3Storage.delete", leaving=True
    ),
}


@pytest.fixture
def media_environment(
    media_environment: dict[str, str], bucket: MotoBucket, staging: Path
) -> dict[str, str]:
    here = {"STORAGE_URL": bucket.url, "TMPDIR": str(staging.parent)}
    return {**media_environment, **CREDENTIALS, **here}


async def check_consistency(dsn: str, bucket: MotoBucket) -> None:
    """After a sweep with no grace, there is an object for every row and a row for every object."""
    async with (
        open_storage(bucket.url, SystemClock(), SystemEntropy()) as storage,
        open_database(dsn) as database,
    ):
        report = await reconcile(database, storage, timedelta(seconds=-5))
    assert report.files_missing == 0
    assert set(bucket.objects()) == await rows(dsn)
    assert bucket.uploads() == []


@pytest.mark.parametrize("moment", UPLOAD)
async def test_s3_upload_killed_at_each_step_leaves_consistent_objects(
    moment: str, running_media: Callable[..., Any], media_dsn: str, bucket: MotoBucket
) -> None:
    async with running_media(UPLOAD[moment]) as (process, media):
        with pytest.raises(ClientError):
            await media.send(picture_form(grain(1330) if "part" in moment else None))
        assert await was_killed(process)
    assert bool(await rows(media_dsn)) == (moment == "after the row")
    await check_consistency(media_dsn, bucket)


@pytest.mark.parametrize("moment", DELETION)
async def test_s3_deletion_killed_at_each_step_leaves_consistent_objects(
    moment: str, running_media: Callable[..., Any], media_dsn: str, bucket: MotoBucket
) -> None:
    async with running_media(DELETION[moment]) as (process, media):
        created = await media.upload()
        with contextlib.suppress(ClientError):  # it may be answered before the files go
            await media.call("DELETE", f"/creatives/{created['id']}")
        assert await was_killed(process)
    assert await rows(media_dsn) == set()
    await check_consistency(media_dsn, bucket)
