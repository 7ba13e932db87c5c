"""Users whose account is gone: nothing of theirs is left, however long we were away."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import structlog
from redis.asyncio import Redis

from media_service.erasure.repository import TABLES
from media_service.erasure.service import DeletedUsersConsumer
from shared.clock import SystemClock
from shared.db import open_database
from shared.revocation.message import DELETED_USERS_STREAM, Revocation
from tests.conftest import REVOCATION_KEY
from tests.support.database import Connection
from tests.support.media_client import FORM, MediaClient, files_below, form, part
from tests.support.pictures import encode
from tests.support.tokens import tell_of_deleted
from tests.support.waiting import until

SECONDS = 10
LAMP = {"name": "Desk lamp", "price": 4999, "currency": "EUR"}


class UnusedFileDeleter:
    """Removes files where there are none."""

    def notify(self) -> None:
        pytest.fail("nothing was removed")


async def rows(dsn: str, user_id: UUID) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        counted = [
            await connection.fetchval(f"select count(*) from {table} where user_id = $1", user_id)
            for table in TABLES
        ]
        return sum(counted)
    finally:
        await connection.close()


async def wait_until_erased(dsn: str, user_id: UUID, files: Path) -> None:
    """Return once neither a row nor a file of the user is left."""

    async def nothing_left() -> bool:
        theirs = [path for path in files_below(files) if str(user_id) in str(path)]
        return not theirs and await rows(dsn, user_id) == 0

    await until(nothing_left, SECONDS)


async def read_cursor(dsn: str) -> str | None:
    connection = await asyncpg.connect(dsn)
    try:
        entry: str | None = await connection.fetchval("select entry from followed_streams")
        return entry
    finally:
        await connection.close()


async def wait_for_cursor(dsn: str, entry: str) -> None:
    async def there() -> bool:
        return await read_cursor(dsn) == entry

    await until(there, SECONDS)


async def create_everything(media: MediaClient) -> None:
    """Something of everything that a user can have."""
    await media.upload()
    keyed = await media.call("POST", "/products", json=LAMP, headers={"Idempotency-Key": "lamp-1"})
    assert keyed.status == 201, keyed.body
    assert (await media.call("POST", "/feed")).status == 201
    photo = form(part("photo", encode(), '; filename="p.jpg"'))
    hook = {"url": "http://127.0.0.1:1/", "events": ["*"]}
    webhook = await media.call("POST", "/webhooks", json=hook)
    test = await media.call("POST", f"/webhooks/{webhook.body['id']}/test")
    assert test.status == 202, test.body
    path = f"/products/{keyed.body['id']}/photo"
    put = await media.call("PUT", path, data=photo, headers={**FORM, "If-Match": '"1"'})
    assert put.status in {200, 201}, put.body


async def test_erasure_of_deleted_user_removes_their_data_alone(
    media: MediaClient, media_dsn: str, redis: Redis, files: Path
) -> None:
    other = media.as_other_user()
    for user in (media, other):
        await create_everything(user)
    theirs = await rows(media_dsn, other.user_id)
    assert theirs >= 4
    entry = await tell_of_deleted(redis, media.user_id, REVOCATION_KEY)
    await wait_until_erased(media_dsn, media.user_id, files)
    await wait_for_cursor(media_dsn, entry)
    assert await rows(media_dsn, other.user_id) == theirs
    assert (await other.call("GET", "/creatives")).body["items"] != []
    assert [path for path in files_below(files) if str(other.user_id) in str(path)]
    late = await media.call("POST", "/products", json=LAMP)  # its token was not cut off here
    assert (late.status, late.code) == (401, "token_revoked")
    assert await rows(media_dsn, media.user_id) == 0


async def test_erasure_of_user_deleted_during_downtime_runs_at_start(
    serving_media: Callable[..., Any], media_dsn: str, redis: Redis, files: Path
) -> None:
    async with serving_media() as media:
        await media.upload()
        first = await tell_of_deleted(redis, media.as_other_user().user_id, REVOCATION_KEY)
        await wait_for_cursor(media_dsn, first)
    entry = await tell_of_deleted(redis, media.user_id, REVOCATION_KEY)
    assert await rows(media_dsn, media.user_id) == 2  # a creative, and its event
    async with serving_media():
        await wait_until_erased(media_dsn, media.user_id, files)
        await wait_for_cursor(media_dsn, entry)


@pytest.mark.usefixtures("rare_jobs")
async def test_erasure_that_an_older_release_left_unfinished_is_finished_at_start(
    serving_media: Callable[..., Any], media_dsn: str, files: Path
) -> None:
    """It did not know all tables, and moved the cursor past the entry."""
    async with serving_media() as media:
        other = media.as_other_user()
        for user in (media, other):
            await create_everything(user)
        theirs = await rows(media_dsn, other.user_id)
    connection = await asyncpg.connect(media_dsn)
    for table in TABLES[:4]:
        await connection.execute(f"delete from {table} where user_id = $1", media.user_id)
    await connection.execute(
        "update owners set deleted_at = now() where user_id = $1", media.user_id
    )
    await connection.close()
    assert await rows(media_dsn, media.user_id) > 0
    async with serving_media():
        await wait_until_erased(media_dsn, media.user_id, files)
    assert await rows(media_dsn, other.user_id) == theirs


async def test_erasure_looks_for_leftovers_in_every_table_of_a_user(media_db: Connection) -> None:
    found = await media_db.fetch(
        """select table_name from information_schema.columns join information_schema.tables
           using (table_schema, table_name)
           where table_schema = 'public' and table_type = 'BASE TABLE' and column_name = 'user_id'
        """
    )
    kept, due_files = "owners", "removals"
    assert {row["table_name"] for row in found} - {kept, due_files} == set(TABLES)


async def test_erasure_after_redis_was_rebuilt_reads_stream_from_start(
    media: MediaClient, media_dsn: str, redis: Redis, files: Path
) -> None:
    """Its ids may be lower than before: another machine's clock made them."""
    stranger = media.as_other_user()
    await media.upload()
    await wait_for_cursor(media_dsn, await tell_of_deleted(redis, stranger.user_id, REVOCATION_KEY))
    await redis.delete(DELETED_USERS_STREAM)
    await tell_of_deleted(redis, stranger.user_id, REVOCATION_KEY, "5-1")
    await tell_of_deleted(redis, media.user_id, REVOCATION_KEY, "5-2")
    await wait_until_erased(media_dsn, media.user_id, files)
    await wait_for_cursor(media_dsn, "5-2")


async def test_erasure_unverified_entry_erases_none_and_blocks_none(
    media: MediaClient, media_dsn: str, redis: Redis, files: Path
) -> None:
    victim, leaver = media.as_other_user(), media.as_other_user()
    for user in (victim, leaver):
        await user.upload()
    first = await tell_of_deleted(redis, media.as_other_user().user_id, REVOCATION_KEY)
    await wait_for_cursor(media_dsn, first)
    await tell_of_deleted(redis, victim.user_id, "x" * 20 + "-a-key-of-somebody-else")
    await redis.xadd(DELETED_USERS_STREAM, {"other": "thing"})
    await tell_of_deleted(redis, leaver.user_id, REVOCATION_KEY)
    await wait_until_erased(media_dsn, leaver.user_id, files)
    assert await rows(media_dsn, victim.user_id) == 2  # a creative, and its event
    assert await read_cursor(media_dsn) == first  # until the entry is trimmed, or its key is known


async def test_erasure_dropped_key_of_processed_entry_does_not_block(
    serving_media: Callable[..., Any], media_dsn: str, redis: Redis, files: Path
) -> None:
    key = "another-key-" + "k" * 30
    async with serving_media() as media:
        await media.upload()
        first = await tell_of_deleted(redis, media.as_other_user().user_id, REVOCATION_KEY)
        await wait_for_cursor(media_dsn, first)
    with structlog.testing.capture_logs() as logs:
        async with serving_media(revocation_key=key):
            entry = await tell_of_deleted(redis, media.user_id, key)
            await wait_until_erased(media_dsn, media.user_id, files)
            await wait_for_cursor(media_dsn, entry)
    assert "erasure.unverified_entry_blocks" not in {event["event"] for event in logs}


async def test_erasure_remembers_only_entries_beyond_its_cursor(
    media_dsn: str, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    erased, erase = list[str](), DeletedUsersConsumer._erase

    async def noted(self: DeletedUsersConsumer, revocation: Revocation) -> None:
        erased.append(revocation.id)
        await erase(self, revocation)

    monkeypatch.setattr(DeletedUsersConsumer, "_erase", noted)
    other, users = "x" * 20 + "-a-key-of-somebody-else", [uuid4() for _ in range(3)]
    first = await tell_of_deleted(redis, users[0], REVOCATION_KEY)
    blocks = await tell_of_deleted(redis, uuid4(), other)
    beyond = [await tell_of_deleted(redis, user, REVOCATION_KEY) for user in users[1:]]
    async with open_database(media_dsn) as database:
        file_deleter: Any = UnusedFileDeleter()
        consumer = DeletedUsersConsumer(
            redis=redis,
            keys=[REVOCATION_KEY.encode()],
            database=database,
            file_deleter=file_deleter,
            clock=SystemClock(),
        )
        for _ in range(2):
            await consumer.run_once()
        assert consumer._processed == {entry.encode() for entry in beyond}
        assert await read_cursor(media_dsn) == first
        await redis.xdel(DELETED_USERS_STREAM, blocks)
        for _ in range(2):
            await consumer.run_once()
        assert consumer._processed == set()
        assert await read_cursor(media_dsn) == beyond[-1]
    assert erased == [str(user) for user in users]  # each one once


@pytest.mark.parametrize("reason", ["logout_all", "disabled"])
async def test_erasure_of_signed_out_user_keeps_everything(
    media: MediaClient, media_dsn: str, redis: Redis, reason: str
) -> None:
    await media.upload()
    entry = await tell_of_deleted(redis, media.user_id, REVOCATION_KEY, reason=reason)
    await wait_for_cursor(media_dsn, entry)
    assert await rows(media_dsn, media.user_id) == 2  # a creative, and its event


async def test_erasure_of_more_products_than_a_batch_removes_all(
    serving_media: Callable[..., Any],
    media_dsn: str,
    redis: Redis,
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("media_service.erasure.service.BATCH", 3)
    async with serving_media() as media:
        connection = await asyncpg.connect(media_dsn)
        await connection.execute(
            """
            insert into photos
            select md5(n::text)::uuid, $1, 'a.jpg', 'image/jpeg', 1, 1, 1, sha256('x'),
                   '{original}', now()
            from generate_series(1, 20) n
            """,
            media.user_id,
        )
        await connection.execute(
            """
            insert into products
            select 'PR-' || lpad(n::text, 12, '0'), $1, 'x', '', 1, 'EUR', 'public',
                   md5((21 - n)::text)::uuid, now(), now()
            from generate_series(1, 20) n
            """,
            media.user_id,
        )
        await connection.close()
        await tell_of_deleted(redis, media.user_id, REVOCATION_KEY)
        await wait_until_erased(media_dsn, media.user_id, files)
