"""A bucket without room, in the words of several stores: refused, nothing half-kept, well again.

A gate in front of moto's bucket refuses what does not fit; all else goes through.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiohttp import ClientSession, web

from media_service.storage.errors import StorageFull
from media_service.storage.s3_upload import S3Uploader
from tests.support.media_client import files_below, picture_form
from tests.support.moto_bucket import MotoBucket
from tests.support.pictures import grain
from tests.support.waiting import until

LARGE, SMALL = grain(1330), grain(40)
"""The large one's original goes in two parts, everything else in one request."""
BETWEEN = {"transfer-encoding", "connection", "host", "expect"}
"""Headers that are between two neighbours."""
Refuses = Callable[[web.Request], bool]


@dataclass
class Gate:
    """What is refused, and how."""

    refuses: Refuses
    status: int
    code: str
    url: str = ""
    refused: int = 0

    def open(self) -> None:
        """Make room."""
        self.refuses = lambda _: False

    def answer(self) -> web.Response:
        self.refused += 1
        text = f"<?xml version='1.0'?><Error><Code>{self.code}</Code><Message>no</Message></Error>"
        return web.Response(status=self.status, text=text, content_type="application/xml")


@asynccontextmanager
async def gated(bucket: MotoBucket, gate: Gate) -> AsyncIterator[None]:
    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        if gate.refuses(request):
            return gate.answer()
        headers = {
            name: value for name, value in request.headers.items() if name.lower() not in BETWEEN
        }
        async with session.request(
            request.method, bucket.endpoint + request.raw_path, data=BytesIO(body), headers=headers
        ) as answer:
            passed = {
                name: text for name, text in answer.headers.items() if name.lower() not in BETWEEN
            }
            return web.Response(status=answer.status, body=await answer.read(), headers=passed)

    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    async with ClientSession(auto_decompress=False) as session:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        gate.url = f"s3://{bucket.name}?endpoint=http://{host}:{port}"
        try:
            yield
        finally:
            await runner.cleanup()


def second_part(request: web.Request) -> bool:
    return request.query.get("partNumber") == "2"


def completion(request: web.Request) -> bool:
    return request.method == "POST" and "uploadId" in request.query


def a_smaller_picture(request: web.Request) -> bool:
    return request.method == "PUT" and request.path.endswith("/thumb")


def everything(request: web.Request) -> bool:
    return request.method in {"PUT", "POST"}


STORES = [
    (507, "XMinioStorageFull", (507, "storage_full")),
    (403, "QuotaExceeded", (507, "storage_full")),
    (500, "InternalError", (503, "service_unavailable")),
]
"""How a full store answers, and what is made of it. Rclone says no more than that it has failed."""


@pytest.fixture(autouse=True)
def one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media_service.storage.s3.ATTEMPTS", 1)


@pytest.mark.parametrize(
    ("refuses", "picture"),
    [
        (second_part, LARGE),
        (completion, LARGE),
        (a_smaller_picture, SMALL),
        (everything, SMALL),
    ],
    ids=["second part", "completion", "smaller picture", "everything"],
)
async def test_bucket_full_upload_is_507_keeps_nothing_and_recovers(
    refuses: Refuses,
    picture: bytes,
    serving_media: Callable[..., Any],
    bucket: MotoBucket,
    staging: Path,
) -> None:
    gate = Gate(refuses, 507, "InsufficientStorage")
    async with gated(bucket, gate), serving_media(storage_url=gate.url) as media:
        with structlog.testing.capture_logs() as logs:
            answer = await media.send(picture_form(picture))
        assert (answer.status, answer.code) == (507, "storage_full")
        [alarm] = [entry for entry in logs if entry["event"] == "storage.full"]
        assert (alarm["log_level"], "InsufficientStorage" in alarm["cause"]) == ("error", True)
        assert gate.refused
        assert (bucket.objects(), bucket.uploads(), files_below(staging)) == ({}, [], [])
        assert (await media.call("GET", "/creatives")).body["items"] == []
        gate.open()
        created = await media.upload(picture=picture)
        place = f"{media.user_id}/{created['id']}"
        assert set(bucket.objects()) == {f"{place}/{v}" for v in ("original", "preview", "thumb")}


async def test_bucket_error_codes_map_to_507_or_503(
    serving_media: Callable[..., Any], bucket: MotoBucket, staging: Path
) -> None:
    gate = Gate(a_smaller_picture, 507, "XMinioStorageFull")
    async with gated(bucket, gate), serving_media(storage_url=gate.url) as media:
        for gate.status, gate.code, expected in STORES:
            answer = await media.send(picture_form(SMALL))
            assert (answer.status, answer.code) == expected
            assert ("Retry-After" in answer.headers) == (answer.status == 503)
            assert (bucket.objects(), files_below(staging)) == ({}, [])
        gate.open()
        await media.upload(picture=SMALL)


async def test_bucket_full_serves_and_deletes(
    serving_media: Callable[..., Any], bucket: MotoBucket, staging: Path
) -> None:
    gate = Gate(lambda _: False, 507, "InsufficientStorage")
    async with gated(bucket, gate), serving_media(storage_url=gate.url) as media:
        created = await media.upload(picture=SMALL)
        gate.refuses = everything
        assert (await media.send(picture_form())).code == "storage_full"
        path = f"/creatives/{created['id']}"
        assert (await media.call("GET", f"{path}/file")).status == 200
        assert (await media.call("DELETE", path)).status == 204
        await until(lambda: not bucket.objects())
        assert files_below(staging) == []


async def test_s3_full_store_upload_is_507_and_keeps_nothing(
    serving_media: Callable[..., Any],
    bucket: MotoBucket,
    staging: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving_media(storage_url=bucket.url) as media:
        whole = S3Uploader.put

        async def full(self: S3Uploader, where: str, path: Path) -> None:
            if where.endswith("/thumb"):
                raise StorageFull
            await whole(self, where, path)

        monkeypatch.setattr(S3Uploader, "put", full)
        refused = await media.send(picture_form(SMALL))
        assert (refused.status, refused.code) == (507, "storage_full")
        monkeypatch.undo()
        assert (bucket.objects(), files_below(staging)) == ({}, [])
        assert (await media.call("GET", "/creatives")).body["items"] == []
