"""The publisher: every committed revocation reaches every service, at once or soon after."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf
from typing import NamedTuple
from uuid import UUID

import structlog

from auth_service.revocation import repository
from auth_service.revocation.errors import RevocationPending
from auth_service.revocation.model import StoredRevocation
from auth_service.revocation.publish_batcher import PUBLISH_TIMEOUT_SECONDS, PublishBatcher
from auth_service.revocation.stream import EntryIds, EpochMismatch, Publication, RevocationStream
from auth_service.revocation.stream_comparison import compare_stream
from auth_service.revocation.stream_rebuild import StreamRebuild
from auth_service.revocation.subscribers import Subscribers
from shared.background import run_periodically
from shared.clock import Clock
from shared.db import Database
from shared.entropy import Entropy
from shared.errors import ServiceUnavailable
from shared.redis import BatchedRedis
from shared.revocation.cache import KEEP_AFTER_EXPIRY

CLOSE_TIMEOUT_SECONDS = 1
PING_TIMEOUT_SECONDS = 0.3
PING_PAUSE_SECONDS = 0.1
OUTAGE_AFTER_PINGS = 2
PINGS_PER_COUNT = 10
ROUND_PAUSE_SECONDS = 1
CATCH_UP_PAUSE_SECONDS = 0.2
CATCH_UP_SECONDS = 3
"""After an outage subscribers come back one after the other, and each waits for a whole round."""
ALIVE_SECONDS = 1
KEEP_EXPIRED = timedelta(hours=1)  # a clock may be ahead
REMOVED_AT_ONCE = 2000
PAGE_SIZE = 500
log = structlog.get_logger()


class _Round(NamedTuple):
    """A round, and the newest row that existed after it had started."""

    number: int
    newest_id: int


@dataclass(eq=False, kw_only=True, repr=False)  # a repr would show the keys
class Publisher:
    """Publishes revocation rows that are committed; never the other way round.

    `keys`: the first one signs. `token_life`: the longest life of an access token. `pending_count`:
    how many committed rows were unpublished when `reconcile` last looked.
    """

    database: Database
    redis: BatchedRedis
    keys: Sequence[bytes]
    clock: Clock
    entropy: Entropy
    token_life: timedelta
    subscribers: Subscribers
    pending_count: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Know no epoch yet."""
        self._stream = RevocationStream(self.redis, self.keys, self.clock, self.token_life)
        self._batcher = PublishBatcher(self._publish_rows, self._mark_published)
        self._epoch = ""
        self._previous_round = _Round(0, 0)
        self._publish_all = True  # a publisher that died may have left rows unpublished
        self._catch_up_until = -inf

    async def ready(self) -> bool:
        """Return whether an epoch is known; without one, every revocation would be pending."""
        return bool(self._epoch)

    async def publish(self, row: StoredRevocation) -> None:
        """Publish a row that was just committed; return once no service honours what it revokes.

        A service that does not answer is waited for until it refuses all tokens, some 3 seconds.

        Raises:
            RevocationPending: it was not published within half a second, or may be lost; the row is
                committed, and `reconcile` will publish it.
        """
        with self._pending_on_failure():
            async with asyncio.timeout(PUBLISH_TIMEOUT_SECONDS):
                publication = await self._batcher.publish(row)
            await self._confirm(publication)

    async def publish_pending_of_user(self, user_id: UUID) -> None:
        """Publish the user's rows that Redis does not have, likewise.

        The user's other live rows are waited for too: the call that published them may have failed.
        """
        with self._pending_on_failure():
            async with asyncio.timeout(PUBLISH_TIMEOUT_SECONDS):
                rows = await repository.live_of_user(self.database, user_id, self.clock.now())
                state = await self._stream.read_state(rows)
                missing = [row for row in rows if state.is_missing(row)]
                publication = await self._publish_rows(missing)
                await self._mark_published(publication.entry_ids)
            await self._confirm(publication, [row for row in rows if not state.is_missing(row)])

    @contextlib.contextmanager
    def _pending_on_failure(self) -> Iterator[None]:
        try:
            yield
        except (TimeoutError, ServiceUnavailable) as error:
            self._publish_all = True
            raise RevocationPending from error

    async def _confirm(
        self, publication: Publication, earlier: Sequence[StoredRevocation] = ()
    ) -> None:
        """Return once each service has applied what Redis still has.

        A failover may have lost an entry before a subscriber saw it. The next entry then has a
        later id, and the subscriber acknowledges that one.
        """
        await self.subscribers.wait_until_applied(publication.position, publication.marker)
        epoch, last = publication.position
        async with asyncio.timeout(PUBLISH_TIMEOUT_SECONDS):
            state = await self._stream.read_state(earlier, last)
        if state.epoch != epoch or state.missing:
            raise EpochMismatch

    def pause(self) -> float:
        """Return the seconds until the next round: few after an outage, as subscribers wait."""
        is_catching_up = self.clock.monotonic() < self._catch_up_until
        return CATCH_UP_PAUSE_SECONDS if is_catching_up else ROUND_PAUSE_SECONDS

    async def close(self) -> None:
        """Publish what is pending, if Redis and the database answer within a second."""
        await self._batcher.close()
        self._publish_all = True
        with contextlib.suppress(TimeoutError, ServiceUnavailable):
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self._run_round()

    def _schedule_catch_up(self) -> None:
        """Publish everything in the next round, and let more rounds follow quickly."""
        self._publish_all = True
        self._catch_up_until = self.clock.monotonic() + CATCH_UP_SECONDS

    async def reconcile(self) -> None:
        """Run a round as soon as Redis answers; called again after `pause`.

        Rows that were published and are missing from the stream are published again, as a failover
        may lose acknowledged writes. Unpublished rows are published, and expired ones removed. The
        stream is rebuilt when Redis has lost it, its epoch, or more rows than are compared.
        """
        async with run_periodically(
            "publisher_alive", self._show_alive, pause=ALIVE_SECONDS, delay=ALIVE_SECONDS
        ):
            await self._run_round_once_redis_answers()

    async def _show_alive(self) -> None:
        """Keep cut-off subscribers waiting for us, however long the database holds a round up.

        No publisher runs the round that this starts.
        """
        await self.redis.with_timeout(PING_TIMEOUT_SECONDS, self._stream.start_round())

    async def _run_round_once_redis_answers(self) -> None:
        while True:
            await self._wait_for_redis()
            try:
                return await self._run_round()
            except ServiceUnavailable:
                if await self._redis_answers():
                    raise  # the database is away, or Redis was away for a moment only
                self._schedule_catch_up()

    async def _run_round(self) -> None:
        number = await self._stream.start_round()
        state = await self._stream.read_state()
        if state.is_intact:
            self._epoch = state.epoch
        elif not await self._rebuild_stream():
            return
        complete = await self._publish_pending(number)
        # Only now: a failover may have lost a row that was marked while the round ran.
        if not await self._publish_missing():
            return
        await self._stream.complete_round(complete)
        expired = self.clock.now() - KEEP_EXPIRED
        await repository.remove_expired(self.database, expired, REMOVED_AT_ONCE)

    async def _wait_for_redis(self) -> None:
        """Return when Redis answers; several unanswered pings in a row are an outage."""
        failures = 0
        while not await self._redis_answers():
            failures += 1
            if failures == OUTAGE_AFTER_PINGS:
                log.warning("revocations.redis_unreachable")
            # Not each time: a slow database must not delay the next ping.
            if failures % PINGS_PER_COUNT == OUTAGE_AFTER_PINGS:
                self.pending_count = (await repository.pending_summary(self.database)).count
            await asyncio.sleep(PING_PAUSE_SECONDS)
        if failures >= OUTAGE_AFTER_PINGS:
            self._schedule_catch_up()

    async def _redis_answers(self) -> bool:
        try:
            return await self.redis.with_timeout(PING_TIMEOUT_SECONDS, self.redis.is_reachable())
        except ServiceUnavailable:
            return False

    async def _publish_missing(self) -> bool:
        """Publish what the stream has lost; False if another replica is rebuilding it."""
        comparison = await compare_stream(self.database, self._stream)
        if not comparison.is_intact:
            return await self._rebuild_stream()
        if missing := comparison.missing_rows:
            await self._publish_and_mark(missing)
            log.warning("revocations.published_again", count=len(missing))
        return True

    async def _publish_pending(self, number: int) -> int:
        """Publish the unpublished rows of the round before; after a fault, all of them.

        Handlers publish the younger ones themselves. No clock tells a row's age, as it may step.
        Returns the newest round before whose start every committed row is published.
        """
        summary = await repository.pending_summary(self.database)
        publish_all, self._publish_all = self._publish_all, False
        previous, self._previous_round = self._previous_round, _Round(number, summary.newest_id)
        counter_was_lost = number <= previous.number
        covers_all = publish_all or counter_was_lost or not summary.count
        covered = self._previous_round if covers_all else previous
        count = 0
        while rows := await repository.pending_up_to(self.database, covered.newest_id, PAGE_SIZE):
            await self._publish_and_mark(rows)
            count += len(rows)
        self.pending_count = summary.count - count
        if count:
            log.info("revocations.published_late", count=count)
        return covered.number

    async def _publish_and_mark(self, rows: Sequence[StoredRevocation]) -> None:
        """Publish rows and record their entries.

        Raises:
            EpochMismatch: there is no epoch to publish in.
        """
        for start in range(0, len(rows), PAGE_SIZE):
            publication = await self._publish_rows(rows[start : start + PAGE_SIZE])
            await self._mark_published(publication.entry_ids)

    async def _publish_rows(self, rows: Sequence[StoredRevocation]) -> Publication:
        publish, marker = self._stream.publish, self.subscribers.new_marker()
        try:
            with contextlib.suppress(EpochMismatch):
                return await publish(self._epoch, rows, marker)
            self._epoch = (await self._stream.read_state()).epoch
            return await publish(self._epoch, rows, marker)
        except (ServiceUnavailable, asyncio.CancelledError):
            self._schedule_catch_up()  # a slow database may keep `reconcile` from seeing it
            raise

    async def _mark_published(self, entry_ids: EntryIds) -> None:
        await repository.mark_published(self.database, entry_ids, self.clock.now())

    async def _rebuild_stream(self) -> bool:
        """Append each live row and start an epoch; False if another replica does it or did it."""
        self._schedule_catch_up()
        rebuild = StreamRebuild(self._stream, self.redis, self.entropy.bytes(8).hex())
        async with self.database.transaction() as connection:
            if not await repository.try_lock_epoch(connection):
                return False
            comparison = await compare_stream(self.database, self._stream)
            if comparison.is_intact:  # another replica has just rebuilt it
                return False
            compared = {row.id for row in comparison.rows}  # the next round looks for their entries
            since = self.clock.now() - KEEP_AFTER_EXPIRY
            to_mark = await rebuild.append_live(connection, since, compared)
            if not await rebuild.start_epoch(comparison.state.epoch):
                return False
            self._epoch = rebuild.epoch
            await self._mark_published(to_mark)
        log.info("revocations.epoch_started", rows=rebuild.count)
        return True
