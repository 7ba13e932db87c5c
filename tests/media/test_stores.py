"""What every store promises, tried on a directory and on a bucket."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from media_service.storage.errors import ObjectMissing
from media_service.storage.factory import open_storage
from media_service.storage.model import CHUNK_BYTES, ObjectKey, Storage
from shared.entropy import SystemEntropy
from tests.support.clock import MovableClock

ELSEWHERE = os.environ.get("TEST_STORAGE_URL")
"""Another store to try, `s3://…` with the credentials in the environment; its bucket is empty."""


@pytest.fixture(params=["directory", "bucket", *(["elsewhere"] if ELSEWHERE else [])])
async def storage(
    request: pytest.FixtureRequest, files: Path, clock: MovableClock, staging: Path
) -> AsyncIterator[Storage]:
    url = files.as_uri()
    if request.param == "bucket":
        url = request.getfixturevalue("bucket").url
    if request.param == "elsewhere":
        url = str(ELSEWHERE)
    async with open_storage(url, clock, SystemEntropy()) as opened:
        yield opened


def key(user: UUID | None = None) -> ObjectKey:
    return ObjectKey(user or uuid4(), uuid4(), "original")


async def put(storage: Storage, *where: ObjectKey, data: bytes = b"x") -> None:
    async with storage.temp_dir.create() as temp_file:
        await temp_file.write(data)
        copies = {
            one: temp_file.path.with_name(f"{temp_file.path.name}.{n}")
            for n, one in enumerate(where)
        }
        for path in copies.values():
            await asyncio.to_thread(path.write_bytes, data)
        await storage.put(copies)


async def get(storage: Storage, where: ObjectKey, start: int, length: int) -> list[bytes]:
    async with storage.open(where) as file:
        return [chunk async for chunk in file.read(start, length)]


async def test_storage_object_is_read_in_chunks_and_ranges(storage: Storage) -> None:
    data, where = os.urandom(CHUNK_BYTES * 2 + 5), key()
    async with storage.temp_dir.create() as temp_file:
        for at in range(0, len(data), 1000):
            await temp_file.write(data[at : at + 1000])
        digest = await temp_file.digest()
        assert not await storage.exists(where)
        await storage.put({where: temp_file.path})
    assert digest == hashlib.sha256(data).digest()
    chunks = await get(storage, where, 3, len(data) - 3)
    assert b"".join(chunks) == data[3:]
    assert max(map(len, chunks)) <= CHUNK_BYTES
    assert b"".join(await get(storage, where, 10, 4)) == data[10:14]


async def test_storage_deletion_keeps_neighbours(storage: Storage) -> None:
    user = uuid4()
    first, second = key(user), key(user)
    thumb = ObjectKey(user, first.picture_id, "thumb")
    for where in (first, second, thumb):
        await put(storage, where)
    await storage.delete(first)
    assert [await storage.exists(where) for where in (first, second, thumb)] == [False, True, True]


async def test_storage_several_objects_are_put_together(storage: Storage) -> None:
    user, creative = uuid4(), uuid4()
    wanted = {ObjectKey(user, creative, one) for one in ("original", "preview", "thumb")}
    await put(storage, *wanted, data=b"abc")
    for one in wanted:
        async with storage.open(one) as file:
            assert file.size == 3
        assert b"".join(await get(storage, one, 0, 3)) == b"abc"


async def test_storage_put_with_a_missing_file_keeps_none(storage: Storage, tmp_path: Path) -> None:
    user, creative = uuid4(), uuid4()
    good, bad = (ObjectKey(user, creative, one) for one in ("original", "preview"))
    async with storage.temp_dir.create() as temp_file:
        await temp_file.write(b"x")
        with pytest.raises(Exception):  # noqa: B017, PT011 - a lost staged file is nobody's plan
            await storage.put({good: temp_file.path, bad: tmp_path / "lost"})
    assert [await storage.exists(one) for one in (good, bad)] == [False, False]


async def test_storage_missing_or_deleted_object_is_missing(storage: Storage) -> None:
    where = key()
    with pytest.raises(ObjectMissing):
        await get(storage, where, 0, 1)
    assert not await storage.delete(where)
    await put(storage, where)
    assert await storage.exists(where)
    assert await storage.delete(where)
    assert not await storage.exists(where)


async def test_storage_read_of_no_bytes_is_empty(storage: Storage) -> None:
    where = key()
    await put(storage, where, data=b"abc")
    assert await get(storage, where, 3, 0) == []


async def test_storage_untouched_objects_are_listed_by_age(
    storage: Storage, clock: MovableClock
) -> None:
    where = key()
    await put(storage, where)

    async def older(**span: float) -> list[ObjectKey]:
        return [one async for batch in storage.list_untouched(timedelta(**span)) for one in batch]

    assert where not in await older(minutes=5)
    assert where in await older(seconds=-5)
    clock.advance(minutes=10)
    assert where in await older(minutes=5)


async def test_storage_stale_temp_files_are_deleted(storage: Storage, clock: MovableClock) -> None:
    async with storage.temp_dir.create() as temp_file:
        await temp_file.write(b"x")
        assert await storage.delete_stale_temp_files(timedelta(hours=1)) == 0
        clock.advance(hours=2)
        assert await storage.delete_stale_temp_files(timedelta(hours=1)) == 1
        assert not await asyncio.to_thread(temp_file.path.exists)


async def test_storage_in_order_is_reachable(storage: Storage) -> None:
    assert await storage.reachable()
