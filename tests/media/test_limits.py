"""What a user may store and send: exact under races, the same in every replica."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiohttp import ClientError

from media_service.quota import repository as owners
from media_service.quota.model import ActiveUpload, QuotaLimits
from shared.db import open_database
from tests.support.auth_client import Answer
from tests.support.clock import MovableClock
from tests.support.command_process import KillPoint, wait_for_exit
from tests.support.database import Connection
from tests.support.media_client import FORM, MediaClient, files_below, picture_form
from tests.support.pictures import encode
from tests.support.waiting import until

PICTURE = encode()
BODY = picture_form(PICTURE)
LAMP = {"name": "Lamp", "price": 1, "currency": "EUR"}


@pytest.fixture
async def database(media_dsn: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(media_dsn)
    yield connection
    await connection.close()


async def stored(database: Connection, user_id: UUID) -> int:
    return int(await database.fetchval("select bytes from owners where user_id = $1", user_id))


async def size_of(serving: Callable[..., Any], database: Connection) -> int:
    """How many bytes the picture takes with its smaller ones, once it is stored."""
    async with serving() as media:
        await media.upload(picture=PICTURE)
        return await stored(database, media.user_id)


async def test_quota_50_uploads_at_once_below_limit_store_one(
    serving_media: Callable[..., Any], database: Connection, files: Path
) -> None:
    size = await size_of(serving_media, database)
    before = len(files_below(files))
    async with serving_media(user_quota_bytes=3 * size - 1) as media:
        await media.upload(picture=PICTURE)
        answers = await asyncio.gather(*(media.send(BODY) for _ in range(50)))
        assert sorted(answer.status for answer in answers) == [201] + [413] * 49
        assert {answer.code for answer in answers if answer.status == 413} == {"quota_exceeded"}
        assert await stored(database, media.user_id) == 2 * size
        assert len((await media.call("GET", "/creatives")).body["items"]) == 2
    per_creative = before
    assert len(files_below(files)) == 3 * per_creative, "the files of the refused are gone"


async def test_quota_is_exact_and_released_by_deletion(
    serving_media: Callable[..., Any], database: Connection
) -> None:
    size = await size_of(serving_media, database)
    async with serving_media(user_quota_bytes=2 * size) as media:
        first = await media.upload(picture=PICTURE)
        await media.upload(picture=PICTURE)
        assert (await media.send(BODY)).code == "quota_exceeded"
        await media.as_other_user().upload(picture=PICTURE)
        assert (await media.call("DELETE", f"/creatives/{first['id']}")).status == 204
        assert await stored(database, media.user_id) == size
        await media.upload(picture=PICTURE)
        assert await stored(database, media.user_id) == 2 * size


async def test_quota_exceeded_by_announced_length_is_413_unread(
    serving_media: Callable[..., Any],
) -> None:
    async with serving_media(user_quota_bytes=100_000) as media:
        told = await media.raw(media.head(length=200_000))
        assert told.startswith(b"HTTP/1.1 413 ")
        assert b'"quota_exceeded"' in told


async def test_quota_first_file_too_large_is_413(
    serving_media: Callable[..., Any], files: Path
) -> None:
    async with serving_media(user_quota_bytes=10) as media:
        assert (await media.send(BODY)).code == "quota_exceeded"
        assert files_below(files) == []
    async with serving_media(user_quota_bytes=0) as media:
        assert (await media.send(BODY)).code == "quota_exceeded"


async def test_daily_uploads_are_counted_across_replicas(
    serving_media: Callable[..., Any], clock: MovableClock
) -> None:
    midnight = clock.now().replace(hour=0, minute=0, second=1)
    clock.advance(seconds=(midnight - clock.now()).total_seconds())
    async with AsyncExitStack() as stack:
        media = await stack.enter_async_context(serving_media(user_uploads_per_day=10))
        other = await stack.enter_async_context(serving_media(user_uploads_per_day=10))
        clients = [media, MediaClient.of(other.http, media.mint, media.user_id)]
        answers = await asyncio.gather(*(clients[n % 2].send(BODY) for n in range(20)))
        assert sorted(answer.status for answer in answers) == [201] * 10 + [429] * 10
        refused = await media.send(BODY)
        assert refused.code == "rate_limited"
        assert refused.body["limit"] == "USER_UPLOADS_PER_DAY"
        assert 80_000 < refused.body["retry_after"] <= 86_400
        assert refused.headers["Retry-After"] == str(refused.body["retry_after"])
        await media.as_other_user().upload()
        await media.wait_out(clock, hours=24)
        await media.upload()


async def test_daily_uploads_count_refused_pictures(serving_media: Callable[..., Any]) -> None:
    async with serving_media(user_uploads_per_day=2) as media:
        assert (await media.send(picture_form(b"no picture"))).code == "unsupported_image"
        assert (await media.send(BODY)).status == 201
        assert (await media.send(BODY)).code == "rate_limited"


async def test_daily_uploads_count_created_products(
    serving_media: Callable[..., Any], clock: MovableClock
) -> None:
    midnight = clock.now().replace(hour=0, minute=0, second=1)
    clock.advance(seconds=(midnight - clock.now()).total_seconds())
    async with serving_media(user_uploads_per_day=5, user_quota_bytes=0) as media:

        async def offer(client: MediaClient, key: str | None = None) -> Answer:
            headers = {"Idempotency-Key": key} if key else {}
            return await client.call("POST", "/products", json=LAMP, headers=headers)

        first = await offer(media, "k")
        answers = await asyncio.gather(*(offer(media) for _ in range(10)))
        assert sorted(answer.status for answer in answers) == [201] * 4 + [429] * 6
        refused = await offer(media)
        assert refused.code == "rate_limited"
        assert refused.body["limit"] == "USER_UPLOADS_PER_DAY"
        assert 0 < int(refused.headers["Retry-After"]) <= 86_400
        assert (await media.send(BODY)).status in {413, 429}
        assert (await offer(media, "k")).body == first.body, "a repetition is no other"
        assert (await offer(media.as_other_user())).status == 201
        await media.wait_out(clock, hours=24)
        assert (await offer(media)).status == 201


async def test_concurrent_uploads_are_counted_across_replicas(
    serving_media: Callable[..., Any], database: Connection
) -> None:
    async with AsyncExitStack() as stack:
        limits = {"user_concurrent_uploads": 3}
        first = await stack.enter_async_context(serving_media(**limits))
        second = await stack.enter_async_context(serving_media(**limits))
        again = MediaClient.of(second.http, first.mint, first.user_id)
        go = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield BODY[:100]
            await go.wait()
            yield BODY[100:]

        async def under_way() -> int:
            return len(await database.fetch("select jsonb_object_keys(under_way) from owners"))

        async def all_three() -> bool:
            return await under_way() == 3

        clients = (first, again, again)
        running = [
            asyncio.create_task(one.call("POST", "/creatives", data=slow(), headers=FORM))
            for one in clients
        ]
        await until(all_three)
        for client in (first, again):
            refused = await client.send(BODY)
            assert (refused.status, refused.code) == (429, "rate_limited")
            assert refused.body["limit"] == "USER_CONCURRENT_UPLOADS"
            assert refused.body["retry_after"] == 5
        assert (await first.as_other_user().send(BODY)).status == 201
        go.set()
        assert [answer.status for answer in await asyncio.gather(*running)] == [201] * 3
        assert (await first.send(BODY)).status == 201
        assert await under_way() == 0


async def test_concurrent_upload_of_killed_replica_is_freed_after_its_lease(
    running_media: Callable[..., Any],
    serving_media: Callable[..., Any],
    clock: MovableClock,
) -> None:
    async with running_media(KillPoint("media_service.creative.repository.insert")) as (
        process,
        dead,
    ):
        with pytest.raises(ClientError):
            await dead.send(BODY)
        await wait_for_exit(process)
    async with serving_media(user_concurrent_uploads=1) as other:
        media = MediaClient.of(other.http, other.mint, dead.user_id)
        assert (await media.send(BODY)).code == "rate_limited"
        await media.wait_out(clock, seconds=151)
        assert (await media.send(BODY)).status == 201


async def test_concurrent_upload_renewed_keeps_its_slot(
    media_dsn: str, clock: MovableClock
) -> None:
    quota = QuotaLimits(1, 9, 1)
    first, second = (ActiveUpload(UUID(int=n), UUID(int=0), 0) for n in (1, 2))
    async with open_database(media_dsn) as database, database.connection() as connection:
        now = clock.now()
        later = now + timedelta(seconds=149)
        assert await owners.begin_upload(connection, first, quota, now)
        await owners.renew_upload(connection, first, later)
        assert not await owners.begin_upload(
            connection, second, quota, later + timedelta(seconds=149)
        )
        assert await owners.begin_upload(connection, second, quota, later + timedelta(seconds=151))
        await owners.renew_upload(connection, first, later)
        under_way = await connection.fetch("select jsonb_object_keys(under_way) from owners")
        assert [row[0] for row in under_way] == [str(second.id)], (
            "who was given up does not come back"
        )


async def test_upload_of_deleted_user_is_token_revoked(
    serving_media: Callable[..., Any], media_dsn: str, clock: MovableClock, files: Path
) -> None:
    async with serving_media() as media, open_database(media_dsn) as database:
        await media.upload()
        kept = files_below(files)
        for user in (media, media.as_other_user()):
            async with database.connection() as connection:
                await owners.mark_user_deleted(connection, user.user_id, clock.now())
            refused = await user.send(BODY)
            assert (refused.status, refused.code) == (401, "token_revoked")
        assert files_below(files) == kept


async def test_upload_user_deleted_meanwhile_stores_nothing(
    serving_media: Callable[..., Any], media_dsn: str, clock: MovableClock, files: Path
) -> None:
    async with serving_media() as media, open_database(media_dsn) as database:

        async def pieces() -> AsyncIterator[bytes]:
            yield BODY[:200]
            async with database.connection() as connection:
                while await owners.read_usage(connection, media.user_id) is None:
                    await asyncio.sleep(0.01)
                await owners.mark_user_deleted(connection, media.user_id, clock.now())
            yield BODY[200:]

        refused = await media.call("POST", "/creatives", data=pieces(), headers=FORM)
        assert (refused.status, refused.code) == (401, "token_revoked")
        assert files_below(files) == []
