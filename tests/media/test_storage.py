"""The local store: closed to others, and never in the way of a neighbour."""

import asyncio
import errno
import os
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from media_service.storage.errors import ObjectMissing, StorageFull
from media_service.storage.local import LocalStorage
from media_service.storage.model import CHUNK_BYTES, ObjectKey
from shared.entropy import SystemEntropy
from shared.errors import ServiceUnavailable
from tests.support.clock import MovableClock
from tests.support.media_client import files_below


@pytest.fixture
async def storage(files: Path, clock: MovableClock) -> LocalStorage:
    store = LocalStorage(files, clock, SystemEntropy())
    await store.prepare()
    return store


def key(user: UUID | None = None) -> ObjectKey:
    return ObjectKey(user or uuid4(), uuid4(), "original")


async def put(storage: LocalStorage, where: ObjectKey, data: bytes = b"x") -> None:
    async with storage.temp_dir.create() as temp_file:
        await temp_file.write(data)
        await storage.put({where: temp_file.path})


async def get(storage: LocalStorage, where: ObjectKey, start: int, length: int) -> list[bytes]:
    async with storage.open(where) as file:
        return [chunk async for chunk in file.read(start, length)]


async def test_temp_file_unless_put_is_deleted(storage: LocalStorage, files: Path) -> None:
    async with storage.temp_dir.create() as temp_file:
        await temp_file.write(b"x")
        assert files_below(files) == [temp_file.path]
    assert files_below(files) == []


async def test_temp_file_cancelled_write_leaves_no_file_or_descriptor(
    storage: LocalStorage, files: Path
) -> None:
    async def upload() -> None:
        async with storage.temp_dir.create() as temp_file:
            while True:
                await temp_file.write(bytes(CHUNK_BYTES))

    for turns in range(20):
        task = asyncio.create_task(upload())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert files_below(files) == []
    assert len(os.listdir("/proc/self/fd")) < 100  # noqa: PTH208 - a count is enough


async def test_local_storage_files_are_private_to_the_service(
    storage: LocalStorage, files: Path
) -> None:
    where = key()
    await put(storage, where)
    found = [files / "objects", files / "staging", *(files / "objects").rglob("*")]
    assert {path.stat().st_mode & 0o077 for path in found} == {0}


async def test_local_storage_open_file_survives_deletion(
    storage: LocalStorage, files: Path
) -> None:
    where = key()
    with pytest.raises(ObjectMissing):
        await get(storage, where, 0, 1)
    assert not await storage.delete(where)
    await put(storage, where)
    async with storage.open(where) as file:
        assert await storage.delete(where)
        assert [chunk async for chunk in file.read(0, 1)] == [b"x"]
    assert not await storage.exists(where)
    assert list((files / "objects").iterdir()) == []


async def test_local_storage_deletions_beside_uploads_of_one_user_succeed(
    storage: LocalStorage,
) -> None:
    """The last deletion removes the user's directory while the next upload needs it."""
    user = uuid4()

    async def come_and_go() -> None:
        for _ in range(25):
            where = key(user)
            await put(storage, where)
            assert await storage.delete(where)

    await asyncio.gather(*(come_and_go() for _ in range(4)))


async def test_local_storage_age_counts_from_last_touch(
    storage: LocalStorage, files: Path, clock: MovableClock
) -> None:
    where = key()
    await put(storage, where)
    path = files / "objects" / str(where)
    os.utime(path, (0, 0))  # the name has changed just now, whatever the content's age

    async def older(**span: float) -> list[ObjectKey]:
        return [one async for batch in storage.list_untouched(timedelta(**span)) for one in batch]

    assert await older(minutes=5) == []
    assert await older(seconds=-5) == [where]
    clock.advance(minutes=10)
    assert await older(minutes=5) == [where]


async def test_local_storage_lists_in_batches(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_service.storage.local.LIST_BATCH", 2)
    wanted = {key() for _ in range(5)}
    for where in wanted:
        await put(storage, where)
    batches = [batch async for batch in storage.list_untouched(timedelta(seconds=-5))]
    assert [len(batch) for batch in batches] == [2, 2, 1]
    assert {one for batch in batches for one in batch} == wanted


async def test_local_storage_disk_full_at_each_call_raises_storage_full(
    storage: LocalStorage, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    for function in (
        "os.open",
        "os.write",
        "os.fsync",
        "pathlib.Path.replace",
        "pathlib.Path.mkdir",
    ):
        with monkeypatch.context() as patch:
            patch.setattr(function, full)
            with pytest.raises(StorageFull):
                await put(storage, key())
    assert files_below(files) == []


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.EACCES, ServiceUnavailable),
        (errno.EROFS, ServiceUnavailable),
        (errno.EIO, ServiceUnavailable),
        (errno.EMFILE, ServiceUnavailable),
        (errno.EDQUOT, StorageFull),
    ],
)
async def test_local_storage_os_error_at_each_call_is_translated(
    storage: LocalStorage, number: int, expected: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    for function in ("os.open", "os.write", "os.fsync", "pathlib.Path.replace"):
        with monkeypatch.context() as patch:
            patch.setattr(function, fail)
            with pytest.raises(expected):
                await put(storage, key())
    await put(storage, where := key())
    calls = (("pathlib.Path.unlink", storage.delete), ("pathlib.Path.is_file", storage.exists))
    for function, call in calls:
        with monkeypatch.context() as patch:
            patch.setattr(function, fail)
            with pytest.raises(expected):
                await call(where)
    monkeypatch.setattr("aiofiles.threadpool.sync_open", fail)
    with pytest.raises(expected):
        await get(storage, where, 0, 1)
