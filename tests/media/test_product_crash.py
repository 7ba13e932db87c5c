"""kill -9 while a product or its photo is stored: rows, files and counts agree afterwards."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import ClientError

from media_service.image.model import VARIANTS
from media_service.picture.reconcile import reconcile
from media_service.storage.local import LocalStorage
from shared.clock import SystemClock
from shared.db import open_database
from shared.entropy import SystemEntropy
from tests.support.command_process import KillPoint, wait_for_exit
from tests.support.media_client import FORM, files_below, form, part
from tests.support.pictures import encode

TABLE = "media_service.product.repository"
SERVICE = "media_service.product.service"
AFTER_THE_COMMIT = KillPoint("media_service.storage.temp_file.TempFile.close_and_delete")
FIELDS = (part("name", "Lamp"), part("price", "1"), part("currency", "EUR"))
CREATION = {
    "before the rows": (KillPoint(f"{TABLE}.insert_photo"), 0),
    "between the rows": (KillPoint(f"{TABLE}.insert"), 0),
    "with the rows not committed": (KillPoint(f"{TABLE}.insert", leaving=True), 0),
    "after the rows": (AFTER_THE_COMMIT, 1),
}
REPLACING = {
    "before the old one is off": (KillPoint(f"{TABLE}.detach_photo"), 1),
    "with the old one off": (KillPoint(f"{TABLE}.detach_photo", leaving=True), 1),
    "with the new one not committed": (KillPoint(f"{TABLE}.attach_photo", leaving=True), 1),
    "after the exchange": (
        KillPoint(f"{SERVICE}.replace_photo", leaving=True),
        2,
    ),
}


async def check_consistency(dsn: str, files: Path) -> list[tuple[int, str]]:
    """The products' versions and photos, when the sweep has made files and rows agree."""
    storage = LocalStorage(files, SystemClock(), SystemEntropy())
    async with open_database(dsn) as database:
        assert (await reconcile(database, storage, timedelta())).files_missing == 0
    connection = await asyncpg.connect(dsn)
    photos = await connection.fetch("select id, user_id from photos")
    counted = await connection.fetchval("select bytes from owners")
    products = await connection.fetch("select version, photo_id from products")
    await connection.close()
    wanted = {f"{row['user_id']}/{row['id']}/{one}" for row in photos for one in VARIANTS}
    root = files / "objects"
    assert {str(path.relative_to(root)) for path in files_below(root)} == wanted
    assert files_below(files / "staging") == []
    assert {row["photo_id"] for row in products} == {row["id"] for row in photos}
    assert (counted or 0) == sum(path.stat().st_size for path in files_below(root))
    return [(row["version"], str(row["photo_id"])) for row in products]


@pytest.mark.parametrize("moment", CREATION)
async def test_product_creation_killed_at_each_step_leaves_consistent_files(
    moment: str, running_media: Callable[..., Any], media_dsn: str, files: Path
) -> None:
    death, products = CREATION[moment]
    async with running_media(death) as (process, media):
        body = BytesIO(form(part("photo", encode()), *FIELDS))
        with pytest.raises(ClientError):
            await media.call("POST", "/products", data=body, headers=FORM)
        await wait_for_exit(process)
    assert len(await check_consistency(media_dsn, files)) == products


@pytest.mark.parametrize("moment", REPLACING)
async def test_photo_replacement_killed_at_each_step_leaves_consistent_files(
    moment: str, running_media: Callable[..., Any], media_dsn: str, files: Path
) -> None:
    death, version = REPLACING[moment]
    async with running_media(death) as (process, media):
        body = BytesIO(form(part("photo", encode()), *FIELDS))
        made = (await media.call("POST", "/products", data=body, headers=FORM)).body
        assert made["version"] == 1
        photo = BytesIO(form(part("photo", encode(seed=2))))
        with pytest.raises(ClientError):
            await media.call("PUT", f"/products/{made['id']}/photo", data=photo, headers=FORM)
        await wait_for_exit(process)
    ((found, _),) = await check_consistency(media_dsn, files)
    assert found == version
