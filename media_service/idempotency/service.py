"""Runs each request once for its idempotency key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from media_service.idempotency import repository
from media_service.idempotency.errors import IdempotencyMismatch, RequestInProgress
from media_service.idempotency.model import IdempotencyKey, StoredResponse
from media_service.quota.model import RENEW_SECONDS
from shared.background import run_periodically
from shared.clock import Clock
from shared.db import Connection, Database
from shared.errors import ServiceUnavailable

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A request that is the first under its key, replays one, or has no key at all."""

    key: IdempotencyKey | None = None
    first_response: StoredResponse | None = None

    def stored_response(self, request_hash: bytes) -> StoredResponse | None:
        """Return the response to send again, None when this is the first request.

        Raises:
            IdempotencyMismatch: the first request had other fields or another file.
        """
        if self.first_response is not None and self.first_response.request_hash != request_hash:
            raise IdempotencyMismatch
        return self.first_response

    async def store_response(self, connection: Connection, response: StoredResponse) -> None:
        """Store the response, in the transaction that stores the resource.

        Raises:
            RequestInProgress: this request's lease expired, and another request has the key.
        """
        if self.key and not await repository.store_response(connection, self.key, response):
            raise RequestInProgress


@asynccontextmanager
async def idempotency_guard(
    database: Database, key: IdempotencyKey | None, clock: Clock
) -> AsyncIterator[IdempotentRequest]:
    """Hold the key for the block; release it when the block ends without a response.

    Without a key every request is a first one.

    Raises:
        RequestInProgress: the first request under the key still runs.
    """
    if key is None:
        yield IdempotentRequest()
        return
    claimed = await repository.claim(database, key, clock.now())
    response = None if claimed else await repository.find_response(database, key)
    if response is not None:
        yield IdempotentRequest(key, response)
        return
    if not claimed:
        raise RequestInProgress

    async def renew() -> None:
        await repository.renew(database, key, clock.now())

    try:
        async with run_periodically("key.renewal", renew, pause=RENEW_SECONDS, delay=RENEW_SECONDS):
            yield IdempotentRequest(key)
    except BaseException:
        await _release(database, key)
        raise


async def _release(database: Database, key: IdempotencyKey) -> None:
    try:
        await repository.release(database, key)
    except ServiceUnavailable:
        log.warning("idempotency_key.release_failed", route=key.route)  # its lease runs out
