"""A bucket as the store: large files in parts, stores in trouble, and the whole service on it."""

import asyncio
import hashlib
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web

from media_service.storage.errors import StorageFull
from media_service.storage.factory import open_storage
from media_service.storage.model import ObjectKey, Storage
from media_service.storage.s3_upload import PART_BYTES, S3Uploader
from shared.clock import SystemClock, rfc3339
from shared.entropy import SystemEntropy
from shared.errors import ServiceUnavailable
from tests.support.media_client import files_below
from tests.support.moto_bucket import MotoBucket
from tests.support.pictures import grain
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("staging")
LARGE = 2 * PART_BYTES + 1


@pytest.fixture
async def storage(bucket: MotoBucket) -> AsyncIterator[Storage]:
    async with open_storage(bucket.url, SystemClock(), SystemEntropy()) as opened:
        yield opened


def key() -> ObjectKey:
    return ObjectKey(uuid4(), uuid4(), "original")


async def put(storage: Storage, where: ObjectKey, data: bytes) -> None:
    async with storage.temp_dir.create() as temp_file:
        await temp_file.write(data)
        await storage.put({where: temp_file.path})


async def test_s3_large_file_is_uploaded_in_parts(
    storage: Storage, bucket: MotoBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    whole = storage._client.upload_part  # type: ignore[attr-defined]

    async def upload_part(**arguments: Any) -> Any:
        sizes.append(len(arguments["Body"]))
        return await whole(**arguments)

    monkeypatch.setattr(storage._client, "upload_part", upload_part)  # type: ignore[attr-defined]
    where, data = key(), bytes(LARGE)
    await put(storage, where, data)
    assert sizes == [PART_BYTES, PART_BYTES, 1]
    assert bucket.objects() == {str(where): LARGE}
    assert bucket.uploads() == []
    async with storage.open(where) as file:
        read = [chunk async for chunk in file.read(0, file.size)]
    assert b"".join(read) == data


@pytest.mark.parametrize("failure", [RuntimeError, asyncio.CancelledError])
async def test_s3_failed_upload_leaves_no_part(
    storage: Storage,
    bucket: MotoBucket,
    monkeypatch: pytest.MonkeyPatch,
    failure: type[BaseException],
) -> None:
    whole = S3Uploader._put_part

    async def fail(self: S3Uploader, *more: Any) -> Any:
        await whole(self, *more)
        raise failure

    monkeypatch.setattr(S3Uploader, "_put_part", fail)
    with pytest.raises(failure):
        await put(storage, key(), bytes(LARGE))
    assert (bucket.objects(), bucket.uploads()) == ({}, [])


async def test_s3_stale_upload_of_a_dead_process_is_aborted(
    storage: Storage, bucket: MotoBucket
) -> None:
    for name in (str(key()), "somebody/elses"):
        bucket.client.create_multipart_upload(Bucket=bucket.name, Key=name)
    assert await storage.delete_stale_temp_files(timedelta(seconds=-5)) == 1
    assert bucket.uploads() == ["somebody/elses"]


@pytest.mark.usefixtures("bucket")
async def test_s3_upload_in_progress_is_not_aborted() -> None:
    """moto dates every upload to 2010, so the store's answer is written out."""
    moment = rfc3339(SystemClock().now())
    listed = f"<Upload><Key>{key()}</Key><UploadId>1</UploadId><Initiated>{moment}</Initiated>"
    text = f"<ListMultipartUploadsResult>{listed}</Upload></ListMultipartUploadsResult>"
    asked: list[str] = []

    def answer(request: web.Request) -> web.Response:
        asked.append(request.method)
        return web.Response(text=text, content_type="application/xml")

    async with odd_store(answer) as storage:
        assert await storage.delete_stale_temp_files(timedelta(hours=1)) == 0
        assert asked == ["GET"]
        assert await storage.delete_stale_temp_files(timedelta(seconds=-5)) == 1
        assert asked == ["GET", "GET", "DELETE"]


async def test_s3_foreign_objects_are_not_listed(storage: Storage, bucket: MotoBucket) -> None:
    bucket.client.put_object(Bucket=bucket.name, Key="backup/2026", Body=b"x")
    assert [batch async for batch in storage.list_untouched(timedelta(seconds=-5))] == []


Answer = Callable[[web.Request], Any]


@asynccontextmanager
async def odd_store(answer: Answer) -> AsyncIterator[Storage]:
    """A store at the world's edge that answers everything in one way."""

    async def handle(request: web.Request) -> web.StreamResponse:
        await request.read()
        response: web.StreamResponse = answer(request)
        return response

    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    url = f"s3://files?endpoint=http://{host}:{port}"
    async with open_storage(url, SystemClock(), SystemEntropy()) as opened:
        yield opened
    await runner.cleanup()


def refusal(status: int, code: str) -> Answer:
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>"
    return lambda _: web.Response(status=status, text=text, content_type="application/xml")


@pytest.mark.usefixtures("bucket")
async def test_s3_no_such_upload_for_a_list_means_none() -> None:
    async with odd_store(refusal(404, "NoSuchUpload")) as storage:
        assert await storage.delete_stale_temp_files(timedelta(hours=1)) == 0


@pytest.mark.usefixtures("bucket")
async def test_s3_full_store_raises_storage_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media_service.storage.s3.ATTEMPTS", 1)
    for status, code in ((507, "InsufficientStorage"), (403, "QuotaExceeded")):
        async with odd_store(refusal(status, code)) as storage:
            for size in (1, LARGE):
                with pytest.raises(StorageFull):
                    await put(storage, key(), bytes(size))


@pytest.mark.usefixtures("bucket")
async def test_s3_refusing_or_unreachable_store_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("media_service.storage.s3.ATTEMPTS", 1)
    async with odd_store(refusal(403, "AccessDenied")) as storage:
        with pytest.raises(ServiceUnavailable):
            await put(storage, key(), b"x")
        assert not await storage.reachable()
        assert "403" in storage.last_error
    away = "s3://files?endpoint=http://127.0.0.1:1"
    async with open_storage(away, SystemClock(), SystemEntropy()) as storage:
        with pytest.raises(ServiceUnavailable):
            await storage.exists(key())
        assert not await storage.reachable()
        assert "Could not connect to the endpoint" in storage.last_error
    async with odd_store(refusal(404, "NoSuchBucket")) as storage:
        assert not await storage.reachable()
        assert storage.last_error.startswith("there is no bucket ")


@pytest.mark.usefixtures("bucket")
async def test_s3_upload_sends_its_bytes_without_being_asked_to_go_on() -> None:
    """A store that refuses before it asks would be waited for without end."""
    expected: list[str | None] = []

    def answer(request: web.Request) -> web.Response:
        expected.append(request.headers.get("Expect"))
        return web.Response(headers={"ETag": '"x"'})

    async with odd_store(answer) as storage:
        await put(storage, key(), b"x")
    assert expected == [None]


@pytest.mark.usefixtures("bucket")
async def test_s3_store_without_ranges_is_read_in_ranges() -> None:
    data = bytes(range(256)) * 4096
    async with (
        odd_store(lambda _: web.Response(body=data)) as storage,
        storage.open(key()) as file,
    ):
        assert file.size == len(data)
        for start, length in ((0, 10), (1000, 300_000), (len(data) - 5, 5)):
            read = b"".join([chunk async for chunk in file.read(start, length)])
            assert read == data[start : start + length]


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize(("breaks", "whole"), [(2, True), (3, False)])
async def test_s3_broken_read_resumes_at_most_twice(breaks: int, whole: bool) -> None:
    data = os.urandom(4 << 20)  # more than is buffered, which is lost with the connection
    asked: list[int] = []

    def answer(request: web.Request) -> web.Response:
        if request.method == "HEAD":
            return web.Response(body=data)
        first, last = map(int, request.headers["Range"].removeprefix("bytes=").split("-"))
        asked.append(first)
        told = {"Content-Range": f"bytes {first}-{last}/{len(data)}"}
        part = data[first : last + 1]
        if len(asked) > breaks:
            return web.Response(status=206, body=part, headers=told)
        told["Content-Length"] = str(len(part))
        broken = web.Response(status=206, body=part[: len(part) // 2], headers=told)
        broken.force_close()
        return broken

    taken = b""
    async with odd_store(answer) as storage, storage.open(key()) as file:
        with nullcontext() if whole else pytest.raises(ServiceUnavailable):
            async for piece in file.read(5, len(data) - 5):
                taken += piece
    assert asked == sorted(set(asked))
    assert len(asked) == 3
    assert data[5:].startswith(taken)
    assert (len(taken) == len(data) - 5) == whole


def without_length(_: web.Request) -> web.Response:
    answer = web.Response()
    answer.enable_chunked_encoding()
    return answer


@pytest.mark.usefixtures("bucket")
async def test_reachable_silent_store_is_named_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media_service.storage.s3.REACHABLE_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"s3://files?endpoint=http://127.0.0.1:{silent.getsockname()[1]}"
        async with open_storage(url, SystemClock(), SystemEntropy()) as storage:
            assert not await storage.reachable()
            assert storage.last_error == "the file store gives no answer within 0.1 s"


@pytest.mark.usefixtures("bucket")
async def test_s3_answer_without_length_is_unavailable() -> None:
    async with odd_store(without_length) as storage:
        with pytest.raises(ServiceUnavailable):
            async with storage.open(key()):
                pass
        with pytest.raises(ServiceUnavailable):
            await storage.exists(key())


async def test_s3_temp_dir_of_another_user_is_refused(
    bucket: MotoBucket, staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    staging.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(PermissionError, match="set TMPDIR"):
        async with open_storage(bucket.url, SystemClock(), SystemEntropy()):
            pass


async def test_s3_creative_is_stored_served_and_deleted(
    serving_media: Callable[..., Any], bucket: MotoBucket, staging: Path
) -> None:
    async with serving_media(storage_url=bucket.url) as media:
        created = await media.upload(picture=grain(1400))
        place = f"{media.user_id}/{created['id']}"
        assert set(bucket.objects()) == {f"{place}/{v}" for v in ("original", "preview", "thumb")}
        path = f"/creatives/{created['id']}/file"
        whole = await media.call("GET", path)
        assert hashlib.sha256(whole.body).hexdigest() == created["sha256"]
        some = await media.call("GET", path, headers={"Range": "bytes=1000000-1000009"})
        assert (some.status, some.body) == (206, whole.body[1_000_000:1_000_010])
        assert (await media.call("GET", path, params={"variant": "thumb"})).status == 200
        assert (await media.http.get("/readyz")).status == 200
        assert files_below(staging) == []
        assert (await media.call("DELETE", f"/creatives/{created['id']}")).status == 204
        await until(lambda: not bucket.objects())
