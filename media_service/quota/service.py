"""Letting a user's uploads in, and what they store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import structlog

from media_service.quota import repository
from media_service.quota.errors import QuotaExceeded
from media_service.quota.model import (
    RENEW_SECONDS,
    Allowance,
    CountedPicture,
    Tally,
    Upload,
    seconds_until_tomorrow,
)
from shared.background import run_periodically
from shared.clock import Clock
from shared.db import Connection, Database
from shared.errors import DomainError, RateLimited, ServiceUnavailable, TokenRevoked

AT_ONCE_RETRY_AFTER = 5
log = structlog.get_logger()


@asynccontextmanager
async def uploading(
    database: Database, allowance: Allowance, upload: Upload, clock: Clock
) -> AsyncIterator[None]:
    """Count the upload, and hold its place among the user's for the block.

    The place of a replica that died comes free when its lease has run out.

    Raises:
        RateLimited: too many today, or at once.
        QuotaExceeded: what is announced does not fit.
        TokenRevoked: the user is deleted.
    """
    now = clock.now()
    async with database.connection() as connection:
        if not await repository.begin_upload(connection, upload, allowance, now):
            tally = await repository.read(connection, upload.user_id)
            raise _refusal(tally, upload, allowance, now)

    async def renew() -> None:
        async with database.connection() as connection:
            await repository.renew_upload(connection, upload, clock.now())

    try:
        async with run_periodically(
            "upload.renewal", renew, pause=RENEW_SECONDS, delay=RENEW_SECONDS
        ):
            yield
    finally:
        await _end(database, upload)


async def count_upload(
    database: Database, allowance: Allowance, user_id: UUID, now: datetime
) -> None:
    """Count what a user adds without a file as one of the day's uploads.

    Raises:
        RateLimited: too many today.
        TokenRevoked: the user is deleted.
    """
    async with database.connection() as connection:
        if await repository.count_upload(connection, user_id, allowance, now):
            return
        tally = await repository.read(connection, user_id)
    raise TokenRevoked() if tally and tally.deleted else _enough_today(allowance, now)


async def take_room(
    connection: Connection, user_id: UUID, picture: CountedPicture | None, allowance: Allowance
) -> None:
    """Count a picture that the caller's transaction stores; None asks whether the user is there.

    Raises:
        QuotaExceeded: they do not fit.
        TokenRevoked: the user is deleted.
    """
    if await repository.take_room(connection, user_id, picture, allowance.stored_bytes):
        return
    tally = await repository.read(connection, user_id)
    raise TokenRevoked if tally and tally.deleted else QuotaExceeded


def _refusal(
    tally: Tally | None, upload: Upload, allowance: Allowance, now: datetime
) -> DomainError:
    """Say what stood against it, as far as it still does: others end while we look."""
    stored = tally.stored_bytes if tally else 0
    if tally and tally.deleted:
        return TokenRevoked()
    if upload.announced and stored + upload.announced > allowance.stored_bytes:
        return QuotaExceeded()
    if tally and tally.day >= now.date() and tally.uploads >= allowance.uploads_per_day:
        return _enough_today(allowance, now)
    return RateLimited(AT_ONCE_RETRY_AFTER, f"at most {allowance.uploads_at_once} uploads at once")


def _enough_today(allowance: Allowance, now: datetime) -> RateLimited:
    detail = f"at most {allowance.uploads_per_day} uploads a day"
    return RateLimited(seconds_until_tomorrow(now), detail)


async def _end(database: Database, upload: Upload) -> None:
    try:
        async with database.connection() as connection:
            await repository.end_upload(connection, upload)
    except ServiceUnavailable:
        log.warning("upload.release_failed", upload_id=str(upload.id))  # its lease runs out
