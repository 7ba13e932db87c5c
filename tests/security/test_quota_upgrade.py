"""Pictures of releases whose quota counted originals alone are counted whole, once."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from media_service.picture.reconcile import reconcile
from media_service.storage.factory import open_storage
from migrations.run import FOLDERS, migrate_down, migrate_up
from shared.clock import SystemClock
from shared.db import open_database
from shared.entropy import SystemEntropy
from tests.support.database import Connection
from tests.support.databases import Databases
from tests.support.media_client import MediaClient, stored_files
from tests.support.pictures import encode
from tests.support.quota import EXPANDING_PICTURE, UPLOADS, usage, wait_for_usage


async def forget_variants(database: Connection) -> None:
    """Leave what the release before has counted: originals alone."""
    await database.execute("delete from counted_pictures")
    await database.execute(
        "update owners set bytes = (select coalesce(sum(size), 0) from (select user_id, size from"
        " creatives union all select user_id, size from photos) p where p.user_id = owners.user_id)"
    )


@pytest.mark.usefixtures("rare_jobs")
async def test_quota_pictures_of_previous_release_are_counted_at_start(
    serving_media: Callable[..., Any], database: Connection, files: Path
) -> None:
    async with serving_media() as media:
        for upload in UPLOADS.values():
            await upload(media, EXPANDING_PICTURE)
        whole = await wait_for_usage(database, files, media.user_id)
    await forget_variants(database)
    assert await usage(database, media.user_id) < whole
    async with serving_media() as later:
        assert await wait_for_usage(database, files, media.user_id) == whole
        mine = MediaClient.of(later.http, later.mint, media.user_id)
        for item in (await mine.call("GET", "/creatives")).body["items"]:
            await mine.call("DELETE", f"/creatives/{item['id']}")
        assert 0 < await wait_for_usage(database, files, media.user_id) < whole


async def test_quota_uncounted_picture_deleted_releases_what_was_counted(
    media: MediaClient, database: Connection
) -> None:
    creative = await media.upload(picture=EXPANDING_PICTURE)
    await forget_variants(database)
    assert (await media.call("DELETE", f"/creatives/{creative['id']}")).status == 204
    assert await usage(database, media.user_id) == 0


async def test_quota_picture_with_lost_file_keeps_its_count(
    media: MediaClient, media_dsn: str, database: Connection, files: Path
) -> None:
    await media.upload(picture=EXPANDING_PICTURE)
    await forget_variants(database)
    before = await usage(database, media.user_id)
    for path in stored_files(files, "preview"):
        path.unlink()
    async with (
        open_database(media_dsn) as pool,
        open_storage(files.as_uri(), SystemClock(), SystemEntropy()) as storage,
    ):
        await reconcile(pool, storage)
    assert await usage(database, media.user_id) == before > 0


async def test_quota_pictures_counted_by_replicas_at_once_count_once(
    media: MediaClient, media_dsn: str, database: Connection, files: Path
) -> None:
    creatives = [await media.upload(picture=encode(seed=seed)) for seed in range(8)]
    whole = await usage(database, media.user_id)
    await forget_variants(database)
    async with (
        open_database(media_dsn) as pool,
        open_storage(files.as_uri(), SystemClock(), SystemEntropy()) as storage,
    ):
        deleting = [media.call("DELETE", f"/creatives/{one['id']}") for one in creatives[:4]]
        await asyncio.gather(*(reconcile(pool, storage) for _ in range(4)), *deleting)
        await reconcile(pool, storage)
    assert 0 < await wait_for_usage(database, files, media.user_id) < whole


async def test_quota_migration_down_keeps_counts_without_variants(
    databases: Databases,
) -> None:
    user, creative = uuid4(), uuid4()
    async with databases.create("media") as dsn:
        while await migrate_down(dsn, FOLDERS / "media") != "0006_picture_sizes.sql":
            pass
        connection = await asyncpg.connect(dsn, statement_cache_size=0)
        await connection.execute("insert into owners (user_id, bytes) values ($1, 10)", user)
        await connection.execute(
            "insert into creatives (id, user_id, file_name, content_type, size, width, height,"
            " sha256, due_at, timezone, variants, created_at, updated_at) values ($1, $2, 'a.jpg',"
            " 'image/jpeg', 10, 1, 1, sha256('x'), now(), 'UTC', '{original}', now(), now())",
            creative,
            user,
        )
        await migrate_up(dsn, FOLDERS / "media")
        assert await usage(connection, user) == 10
        await connection.execute("insert into counted_pictures values ($1, 25)", creative)
        await connection.execute("update owners set bytes = 25")
        while await migrate_down(dsn, FOLDERS / "media") != "0006_picture_sizes.sql":
            pass
        assert await usage(connection, user) == 10
        await connection.execute("delete from creatives")
        assert await usage(connection, user) == 0
        await connection.close()
