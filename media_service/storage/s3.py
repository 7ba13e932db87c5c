"""A bucket as a store: streamed both ways, in parts, with nothing left over."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.handlers import add_expect_header

from media_service.storage.errors import RETRY_AFTER, ObjectMissing
from media_service.storage.model import CHUNK_BYTES, ObjectKey
from media_service.storage.s3_errors import INTERRUPTED, translate_s3_errors
from media_service.storage.s3_upload import S3Uploader
from media_service.storage.temp_file import TempDir
from media_service.storage_url import Bucket
from shared.clock import Clock
from shared.errors import ServiceUnavailable
from shared.logs import describe_error

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

DEFAULT_REGION = "us-east-1"
ATTEMPTS = 3
REACHABLE_SECONDS = 2  # the container's health check waits for 3
log = structlog.get_logger()


@asynccontextmanager
async def open_bucket(
    bucket: Bucket, temp_dir: TempDir, clock: Clock
) -> AsyncIterator["S3Storage"]:
    """Open a client; its credentials are found as by every AWS tool (`AWS_ACCESS_KEY_ID`, …)."""
    logging.getLogger("aiobotocore.credentials").setLevel(logging.WARNING)
    config = AioConfig(
        connect_timeout=3,
        read_timeout=20,
        max_pool_connections=64,
        retries={"mode": "standard", "max_attempts": ATTEMPTS},
        s3={"addressing_style": "path" if bucket.endpoint else "auto"},
        request_checksum_calculation="when_required",  # stores other than AWS know no trailers
        response_checksum_validation="when_required",
    )
    region = bucket.region or DEFAULT_REGION
    made = get_session().create_client(
        "s3", endpoint_url=bucket.endpoint, region_name=region, config=config
    )
    async with made as client:
        # aiohttp would wait for `100 Continue` without end: a store may refuse before it sends one.
        client.meta.events.unregister("before-call.s3", add_expect_header)
        yield S3Storage(client, bucket.name, temp_dir, clock)


class S3Storage:
    """Objects in a bucket; temporary files on this machine's disk."""

    def __init__(self, client: "S3Client", bucket: str, temp_dir: TempDir, clock: Clock) -> None:
        self._client = client
        self._bucket = bucket
        self.temp_dir = temp_dir
        self._clock = clock
        self._uploader = S3Uploader(client, bucket)
        self.last_error = ""

    async def put(self, files: Mapping[ObjectKey, Path]) -> None:
        puts = [self._uploader.put(str(key), path) for key, path in files.items()]
        ended = asyncio.gather(*puts, return_exceptions=True)
        try:
            failed = [one for one in await ended if isinstance(one, BaseException)]
        except asyncio.CancelledError:
            await asyncio.shield(self._delete_uploaded(files))
            raise
        if failed:
            await asyncio.shield(self._delete_uploaded(files))
            raise failed[0]

    @asynccontextmanager
    async def open(self, key: ObjectKey) -> AsyncIterator["S3StoredFile"]:
        with translate_s3_errors():
            found = await self._client.head_object(Bucket=self._bucket, Key=str(key))
        size = dict(found).get("ContentLength")
        if not isinstance(size, int):
            log.warning("storage.length_missing", key=str(key))
            raise ServiceUnavailable(RETRY_AFTER, "The file store does not tell a file's length")
        yield S3StoredFile(self._client, self._bucket, str(key), size)

    async def exists(self, key: ObjectKey) -> bool:
        try:
            async with self.open(key):
                return True
        except ObjectMissing:
            return False

    async def delete(self, key: ObjectKey) -> bool:
        existed = await self.exists(key)
        with translate_s3_errors():
            await self._client.delete_object(Bucket=self._bucket, Key=str(key))
        return existed

    async def list_untouched(self, older_than: timedelta) -> AsyncIterator[list[ObjectKey]]:
        before = self._clock.now() - older_than
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket)
        with translate_s3_errors():
            async for page in pages:
                found = [one for one in page.get("Contents", []) if one["LastModified"] <= before]
                keys = [ObjectKey.parse(one["Key"]) for one in found]
                if ours := [key for key in keys if key]:
                    yield ours

    async def delete_stale_temp_files(self, older_than: timedelta) -> int:
        aborted = await self._uploader.abort_older(self._clock.now() - older_than)
        return aborted + await self.temp_dir.delete_stale(older_than)

    async def reachable(self) -> bool:
        try:
            async with asyncio.timeout(REACHABLE_SECONDS):
                with translate_s3_errors():
                    await self._client.head_bucket(Bucket=self._bucket)
        except TimeoutError:
            self.last_error = f"the file store gives no answer within {REACHABLE_SECONDS} s"
            return False
        except ObjectMissing:
            self.last_error = f"there is no bucket {self._bucket}"
            return False
        except ServiceUnavailable as away:
            self.last_error = describe_error(away)
            return False
        return True

    async def _delete_uploaded(self, files: Mapping[ObjectKey, Path]) -> None:
        """Delete what was uploaded; `reconcile` deletes what a failing store keeps."""
        for key in files:
            try:
                with translate_s3_errors():
                    await self._client.delete_object(Bucket=self._bucket, Key=str(key))
            except ServiceUnavailable:
                log.warning("file.removal_failed", key=str(key))


@dataclass(frozen=True, slots=True)
class S3StoredFile:
    """An object, read by ranges."""

    client: "S3Client"
    bucket: str
    key: str
    size: int

    async def read(self, start: int, length: int) -> AsyncIterator[bytes]:
        # When the store breaks off, what is left is asked for again, `ATTEMPTS` times in all.
        attempts = ATTEMPTS
        with translate_s3_errors():
            while length:
                try:
                    async with aclosing(self._pieces(start, length)) as pieces:
                        async for piece in pieces:
                            start, length = start + len(piece), length - len(piece)
                            yield piece
                except INTERRUPTED as broken:
                    if not (attempts := attempts - 1):
                        raise
                    log.warning("file.reading_resumed", key=self.key, cause=describe_error(broken))
                else:
                    return

    async def _pieces(self, start: int, length: int) -> AsyncGenerator[bytes, None]:
        """Ask once. A store that knows no ranges sends the whole object, of which we skip some."""
        answer = await self.client.get_object(
            Bucket=self.bucket, Key=self.key, Range=f"bytes={start}-{start + length - 1}"
        )
        skipped = 0 if answer.get("ContentRange") else start
        async with answer["Body"] as stream:
            while length and (chunk := await stream.read(CHUNK_BYTES)):
                wanted = chunk[skipped : skipped + length]
                skipped -= min(skipped, len(chunk))
                length -= len(wanted)
                if wanted:
                    yield wanted
