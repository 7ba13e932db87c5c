"""Publishes the revocations that handlers have just committed, concurrent ones in one call."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from auth_service.revocation.model import StoredRevocation
from auth_service.revocation.stream import EntryIds, Publication
from shared.background import cancel_and_wait
from shared.batching import Batcher
from shared.errors import ServiceUnavailable

MAX_CONCURRENT_CALLS = 2
MAX_BATCH_SIZE = 500
PUBLISH_TIMEOUT_SECONDS = 0.5
MARK_DELAY_SECONDS = 0.1
log = structlog.get_logger()


class PublishBatcher:
    """Publishes rows in at most two concurrent calls; rows that arrive meanwhile share the next.

    Rows are marked as published shortly after their handlers were answered, many in one statement.
    If the process dies before that, they are published a second time.
    """

    def __init__(
        self,
        publish: Callable[[Sequence[StoredRevocation]], Awaitable[Publication]],
        mark: Callable[[EntryIds], Awaitable[None]],
    ) -> None:
        """Publish rows with `publish`, mark them as published with `mark`."""
        self._publish = publish
        self._mark = mark
        self._batcher = Batcher(
            self._publish_batch, max_calls=MAX_CONCURRENT_CALLS, max_size=MAX_BATCH_SIZE
        )
        self._published: EntryIds = {}
        self._marking: asyncio.Task[None] | None = None

    async def publish(self, row: StoredRevocation) -> Publication:
        """Publish the row, perhaps with others.

        Raises:
            ServiceUnavailable, TimeoutError: it may not be.
        """
        return await self._batcher.submit(row)

    async def _publish_batch(self, rows: Sequence[StoredRevocation]) -> Sequence[Publication]:
        async with asyncio.timeout(PUBLISH_TIMEOUT_SECONDS):
            publication = await self._publish(rows)
        self._published |= publication.entry_ids
        if self._marking is None or self._marking.done():
            self._marking = asyncio.get_running_loop().create_task(self._mark_after_delay())
        return [publication] * len(rows)

    async def _mark_after_delay(self) -> None:
        await asyncio.sleep(MARK_DELAY_SECONDS)
        await self._mark_published()

    async def _mark_published(self) -> None:
        published, self._published = self._published, {}
        try:
            await self._mark(published)
        except ServiceUnavailable:
            log.warning("revocations.marking_failed", count=len(published))

    async def close(self) -> None:
        """Cancel the calls in flight, and mark the rows that are published but not yet marked."""
        await self._batcher.close()
        if self._marking is not None:
            await cancel_and_wait(self._marking)
        if self._published:
            await self._mark_published()
