"""The collaborators of an upload, and the guard that admits it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from media_service.idempotency.errors import RequestInProgress
from media_service.idempotency.model import IdempotencyKey
from media_service.idempotency.service import IdempotentRequest, idempotency_guard
from media_service.image.worker.pool import DecoderPool
from media_service.quota.errors import QuotaExceeded
from media_service.quota.model import ActiveUpload, QuotaLimits
from media_service.quota.service import upload_slot
from media_service.storage.model import ObjectKey, Storage
from media_service.upload.model import UploadLimits
from media_service.upload.pending_upload import PendingUpload
from shared.clock import Clock
from shared.db import Database
from shared.entropy import Entropy, new_id
from shared.errors import NotFound, ServiceUnavailable, TokenInvalid
from shared.revocation.authenticator import TokenAuthenticator

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class UploadContext:
    """The collaborators of an upload, built once."""

    limits: UploadLimits
    quota: QuotaLimits
    authenticator: TokenAuthenticator
    images: DecoderPool
    storage: Storage
    database: Database
    clock: Clock
    entropy: Entropy


@asynccontextmanager
async def upload_guard(
    context: UploadContext,
    route: str,
    upload: PendingUpload[Any],
    *,
    at_least: int = 1,
    freed: int = 0,
) -> AsyncIterator[IdempotentRequest]:
    """Hold one of the user's upload slots, and the idempotency key if there is one, for the block.

    `at_least`: bytes that it stores whatever is declared; `freed`: bytes that it replaces.

    Raises:
        RequestInProgress: another request with this key runs.
        RateLimited, QuotaExceeded, TokenRevoked: the user may not upload now.
    """
    name = new_id(context.clock, context.entropy)
    key = IdempotencyKey(upload.user_id, route, upload.key, name) if upload.key else None
    async with idempotency_guard(context.database, key, context.clock) as request:
        declared_bytes = 0 if request.is_replay else max(at_least, upload.min_stored_bytes - freed)
        active = ActiveUpload(name, upload.user_id, declared_bytes, is_replay=request.is_replay)
        async with upload_slot(context.database, context.quota, active, context.clock):
            yield request


@asynccontextmanager
async def discard_on_refusal(storage: Storage, keys: Sequence[ObjectKey]) -> AsyncIterator[None]:
    """Delete files that were put into the store when the block refuses their row."""
    try:
        yield
    except (QuotaExceeded, RequestInProgress, TokenInvalid, NotFound):
        for key in keys:
            await _delete_file(storage, key)
        raise


async def _delete_file(storage: Storage, key: ObjectKey) -> None:
    """Delete one file; `reconcile` deletes what a failing store keeps."""
    try:
        await storage.delete(key)
    except (OSError, ServiceUnavailable) as failed:
        log.warning("file.removal_failed", key=str(key), error=repr(failed))
