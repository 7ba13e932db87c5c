"""A request's turn under its key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from media_service.idempotency import repository
from media_service.idempotency.errors import IdempotencyMismatch, RequestInProgress
from media_service.idempotency.model import FirstAnswer, KeyUse
from media_service.quota.model import RENEW_SECONDS
from shared.background import run_periodically
from shared.clock import Clock
from shared.db import Connection, Database
from shared.errors import ServiceUnavailable

log = structlog.get_logger()


class Turn:
    """A request that is the first under its key, repeats one, or has no key at all."""

    def __init__(self, use: KeyUse | None = None, first: FirstAnswer | None = None) -> None:
        """Take what is known when the request begins."""
        self._use = use
        self._first = first

    @property
    def repeats(self) -> bool:
        """Whether the key has an answer."""
        return self._first is not None

    def first_answer(self, fingerprint: bytes) -> FirstAnswer | None:
        """Return what is to be answered again, None when this is the first request.

        Raises:
            IdempotencyMismatch: the first request was another one.
        """
        if self._first is not None and self._first.fingerprint != fingerprint:
            raise IdempotencyMismatch
        return self._first

    async def finish(self, connection: Connection, answer: FirstAnswer) -> None:
        """Store the answer, in the transaction that stores what it tells of.

        Raises:
            RequestInProgress: this request was taken for dead, and another has its key.
        """
        if self._use and not await repository.finish(connection, self._use, answer):
            raise RequestInProgress


@asynccontextmanager
async def taking_turn(database: Database, use: KeyUse | None, clock: Clock) -> AsyncIterator[Turn]:
    """Hold the key for the block; it is free again when the block ends without an answer.

    Without a key every request is a first one.

    Raises:
        RequestInProgress: the first request under the key still runs.
    """
    if use is None:
        yield Turn()
        return
    async with database.connection() as connection:
        claimed = await repository.claim(connection, use, clock.now())
        first = None if claimed else await repository.find_answer(connection, use)
    if first is not None:
        yield Turn(use, first)
    elif claimed:
        async with _holding(database, use, clock):
            yield Turn(use)
    else:
        raise RequestInProgress


@asynccontextmanager
async def _holding(database: Database, use: KeyUse, clock: Clock) -> AsyncIterator[None]:
    async def renew() -> None:
        async with database.connection() as connection:
            await repository.renew(connection, use, clock.now())

    try:
        async with run_periodically("key.renewal", renew, pause=RENEW_SECONDS, delay=RENEW_SECONDS):
            yield
    except BaseException:
        await _release(database, use)
        raise


async def forget_old(database: Database, clock: Clock) -> None:
    """Remove keys that no longer count."""
    async with database.connection() as connection:
        await repository.forget(connection, clock.now())


async def _release(database: Database, use: KeyUse) -> None:
    try:
        async with database.connection() as connection:
            await repository.release(connection, use)
    except ServiceUnavailable:
        log.warning("idempotency_key.release_failed", route=use.route)  # its lease runs out
