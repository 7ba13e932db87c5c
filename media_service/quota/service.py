"""Enforces the quota: uploads a day, uploads at once, stored bytes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import structlog

from media_service.quota import repository
from media_service.quota.errors import QuotaExceeded
from media_service.quota.model import (
    RENEW_SECONDS,
    ActiveUpload,
    PictureUsage,
    QuotaLimits,
    Usage,
    seconds_until_tomorrow,
)
from shared.background import run_periodically
from shared.clock import Clock
from shared.db import Connection, Database
from shared.errors import DomainError, RateLimited, ServiceUnavailable, TokenRevoked

CONCURRENT_RETRY_AFTER = 5
log = structlog.get_logger()


@asynccontextmanager
async def upload_slot(
    database: Database, quota: QuotaLimits, upload: ActiveUpload, clock: Clock
) -> AsyncIterator[None]:
    """Count the upload, and hold one of the user's upload slots for the block.

    The slot of a replica that died is released when its lease expires.

    Raises:
        RateLimited: too many today, or at once.
        QuotaExceeded: the declared bytes do not fit.
        TokenRevoked: the user is deleted.
    """
    now = clock.now()
    if not await repository.begin_upload(database, upload, quota, now):
        usage = await repository.read_usage(database, upload.user_id)
        raise _limit_error(usage, upload, quota, now)

    async def renew() -> None:
        await repository.renew_upload(database, upload, clock.now())

    try:
        async with run_periodically(
            "upload.renewal", renew, pause=RENEW_SECONDS, delay=RENEW_SECONDS
        ):
            yield
    finally:
        try:
            await repository.end_upload(database, upload)
        except ServiceUnavailable:
            log.warning("upload.release_failed", upload_id=str(upload.id))  # its lease runs out


async def count_upload_without_file(
    database: Database, quota: QuotaLimits, user_id: UUID, now: datetime
) -> None:
    """Count a new row without a file as one of the user's uploads of the day.

    Raises:
        RateLimited: too many today.
        TokenRevoked: the user is deleted.
    """
    if await repository.count_upload_without_file(database, user_id, quota, now):
        return
    usage = await repository.read_usage(database, user_id)
    raise TokenRevoked() if usage and usage.deleted else _daily_limit_error(quota, now)


async def reserve_bytes(
    connection: Connection, user_id: UUID, picture: PictureUsage | None, quota: QuotaLimits
) -> None:
    """Count a picture that the caller's transaction stores; None only checks the user.

    Raises:
        QuotaExceeded: its bytes do not fit.
        TokenRevoked: the user is deleted.
    """
    if await repository.reserve_bytes(connection, user_id, picture, quota.stored_bytes):
        return
    usage = await repository.read_usage(connection, user_id)
    if usage and usage.deleted:
        raise TokenRevoked
    raise _quota_error(usage, quota, picture.stored_bytes if picture else 0)


def _limit_error(
    usage: Usage | None, upload: ActiveUpload, quota: QuotaLimits, now: datetime
) -> DomainError:
    """Return the limit that was hit, as far as it still is: others end meanwhile."""
    stored = usage.stored_bytes if usage else 0
    if usage and usage.deleted:
        return TokenRevoked()
    if upload.declared_bytes and stored + upload.declared_bytes > quota.stored_bytes:
        return _quota_error(usage, quota, upload.declared_bytes)
    if usage and usage.day >= now.date() and usage.uploads >= quota.uploads_per_day:
        return _daily_limit_error(quota, now)
    detail = f"at most {quota.concurrent_uploads} uploads at once"
    return RateLimited("USER_CONCURRENT_UPLOADS", CONCURRENT_RETRY_AFTER, detail)


def _quota_error(usage: Usage | None, quota: QuotaLimits, added: int) -> QuotaExceeded:
    return QuotaExceeded(quota.stored_bytes, usage.stored_bytes if usage else 0, added)


def _daily_limit_error(quota: QuotaLimits, now: datetime) -> RateLimited:
    detail = f"at most {quota.uploads_per_day} uploads a day"
    return RateLimited("USER_UPLOADS_PER_DAY", seconds_until_tomorrow(now), detail)
