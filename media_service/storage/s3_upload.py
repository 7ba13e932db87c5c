"""Uploads files to a bucket, with few parts in memory at once."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from media_service.storage.errors import ObjectMissing, StorageFull
from media_service.storage.model import ObjectKey
from media_service.storage.s3_errors import translate_s3_errors
from shared.errors import ServiceUnavailable

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3.type_defs import CompletedPartTypeDef, MultipartUploadTypeDef

PART_BYTES = 5 * 1024 * 1024
"""The least that S3 takes as a part that is not the last one."""
PARTS_IN_MEMORY = 4
log = structlog.get_logger()


class S3Uploader:
    """Puts files into the bucket: small ones in one request, others part by part."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._slots = asyncio.Semaphore(PARTS_IN_MEMORY)

    async def put(self, key: str, path: Path) -> None:
        """Upload a file; its object appears whole or not at all.

        Raises:
            StorageFull, ServiceUnavailable: nothing of it is there.
        """
        size = (await asyncio.to_thread(path.stat)).st_size
        with translate_s3_errors():
            if size > PART_BYTES:
                await self._put_in_parts(key, path, size)
                return
            async with self._slots:
                data = await asyncio.to_thread(path.read_bytes)
                await self._client.put_object(Bucket=self._bucket, Key=key, Body=data)

    async def abort_older(self, before: datetime) -> int:
        """Abort multipart uploads that are unfinished since then; return how many."""
        aborted = 0
        with translate_s3_errors():
            async for one in self._unfinished():
                if one["Initiated"] <= before and ObjectKey.parse(one["Key"]):
                    await self._abort(one["Key"], one["UploadId"])
                    aborted += 1
        return aborted

    async def _unfinished(self) -> AsyncIterator["MultipartUploadTypeDef"]:
        """Yield the unfinished multipart uploads."""
        pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket)
        try:
            async for page in pages:
                for one in page.get("Uploads", []):
                    yield one
        except self._client.exceptions.NoSuchUpload:
            return  # how rclone says that there is none

    async def _put_in_parts(self, key: str, path: Path, size: int) -> None:
        created = await self._client.create_multipart_upload(Bucket=self._bucket, Key=key)
        upload = created["UploadId"]
        try:
            parts = [
                await self._put_part(key, upload, path, number)
                for number in range(1, -(-size // PART_BYTES) + 1)
            ]
            await self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
            )
        except BaseException:
            await asyncio.shield(self._abort(key, upload))
            raise

    async def _put_part(
        self, key: str, upload: str, path: Path, number: int
    ) -> "CompletedPartTypeDef":
        async with self._slots:
            data = await asyncio.to_thread(_read_part, path, (number - 1) * PART_BYTES)
            answer = await self._client.upload_part(
                Bucket=self._bucket, Key=key, UploadId=upload, PartNumber=number, Body=data
            )
        return {"PartNumber": number, "ETag": answer["ETag"]}

    async def _abort(self, key: str, upload: str) -> None:
        """Abort the multipart upload; `reconcile` tries again where the store fails."""
        try:
            with translate_s3_errors():
                await self._client.abort_multipart_upload(
                    Bucket=self._bucket, Key=key, UploadId=upload
                )
        except (ServiceUnavailable, StorageFull, ObjectMissing):
            log.warning("upload.abortion_failed", key=key)


def _read_part(path: Path, start: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start, os.SEEK_SET)
        return file.read(PART_BYTES)
