"""What taking an image in needs, and an upload's turn among its user's."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from media_service.creative.timezones import Zones
from media_service.idempotency.errors import RequestInProgress
from media_service.idempotency.model import KeyUse
from media_service.idempotency.service import Turn, taking_turn
from media_service.image.worker.pool import ImagePool
from media_service.quota.errors import QuotaExceeded
from media_service.quota.model import Allowance, Upload
from media_service.quota.service import uploading
from media_service.storage.model import ObjectKey, Storage
from media_service.upload.model import UploadLimits
from media_service.upload.pending_upload import Arrival
from shared.clock import Clock
from shared.db import Database
from shared.entropy import Entropy, new_id
from shared.errors import NotFound, ServiceUnavailable, TokenInvalid
from shared.revocation.authenticator import TokenAuthenticator

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Intake:
    """What taking an image in needs, put together once."""

    limits: UploadLimits
    allowance: Allowance
    authenticator: TokenAuthenticator
    images: ImagePool
    storage: Storage
    database: Database
    zones: Zones
    clock: Clock
    entropy: Entropy


@asynccontextmanager
async def upload_turn(
    intake: Intake, route: str, arrival: Arrival[Any], *, least: int = 1, freed: int = 0
) -> AsyncIterator[Turn]:
    """Hold the upload's place among its user's, and its key if it has one, for the block.

    `least`: bytes that it stores whatever is announced; `freed`: those that it replaces.

    Raises:
        RequestInProgress: another with this key is under way.
        RateLimited, QuotaExceeded, TokenRevoked: the user may not upload now.
    """
    name = new_id(intake.clock, intake.entropy)
    use = KeyUse(arrival.user_id, route, arrival.key, name) if arrival.key else None
    async with taking_turn(intake.database, use, intake.clock) as turn:
        announced = 0 if turn.repeats else max(least, arrival.stored_at_least - freed)
        upload = Upload(name, arrival.user_id, announced, repeats=turn.repeats)
        async with uploading(intake.database, intake.allowance, upload, intake.clock):
            yield turn


@asynccontextmanager
async def discarding(storage: Storage, keys: Sequence[ObjectKey]) -> AsyncIterator[None]:
    """Remove files that were kept when the block refuses the row that was to have them."""
    try:
        yield
    except (QuotaExceeded, RequestInProgress, TokenInvalid, NotFound):
        for key in keys:
            await _discard(storage, key)
        raise


async def _discard(storage: Storage, key: ObjectKey) -> None:
    """Remove one file; what is left in a store in trouble is the sweeper's."""
    try:
        await storage.delete(key)
    except (OSError, ServiceUnavailable) as failed:
        log.warning("file.removal_failed", key=str(key), error=repr(failed))
