"""The publisher: what PostgreSQL says is cut off reaches every mirror, at once or soon after."""

import asyncio
import contextlib
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import structlog

from auth_service.revocation import repository
from auth_service.revocation.backlog import Backlog, Entries, EpochGone, Found
from auth_service.revocation.courier import Courier
from auth_service.revocation.errors import RevocationPending
from auth_service.revocation.lateness import Lateness
from auth_service.revocation.model import StoredRevocation
from auth_service.revocation.progress import Progress
from auth_service.revocation.seeding import Seeding
from shared.clock import Clock
from shared.db import Database
from shared.entropy import Entropy
from shared.errors import ServiceUnavailable
from shared.redis import BatchedRedis
from shared.revocation.mirror import KEEP_AFTER_EXPIRY

PUBLISH_SECONDS = 0.5
END_SECONDS = 1
PROBE_SECONDS = 0.3
PROBE_PAUSE_SECONDS = 0.1
OUTAGE_AFTER = 2
COUNT_EVERY = 10
KEEP_EXPIRED = timedelta(hours=1)  # a clock may be ahead
COMPARED = 2000
COMPARED_DELETED = 100
PAGE = 500
SEED_PAGE = 2000
log = structlog.get_logger()


class _Comparison(NamedTuple):
    """The published rows that are compared, and what the backlog holds of them.

    `whole`: it is not to be filled from the beginning; a row or two may be lacking.
    """

    rows: list[StoredRevocation]
    found: Found
    whole: bool


class _Extent(NamedTuple):
    """A round, and the newest row that there was after it had begun."""

    number: int
    newest: int


class Publisher:
    """Publishes revocation rows that are committed; never the other way round."""

    def __init__(
        self,
        database: Database,
        redis: BatchedRedis,
        keys: Sequence[bytes],
        *,
        clock: Clock,
        entropy: Entropy,
        token_life: timedelta,
    ) -> None:
        """`keys`: the first one signs. `token_life`: the longest life of an access token."""
        self._database = database
        self._redis = redis
        self._backlog = Backlog(redis, keys, clock=clock, token_life=token_life)
        self._progress = Progress(redis)
        self._lateness = Lateness(self._progress, redis)
        self._courier = Courier(self._tell, self._mark)
        self._clock = clock
        self._entropy = entropy
        self._token_life = token_life
        self._epoch = ""
        self._before = _Extent(0, 0)
        self.pending = 0
        """How many committed rows nobody had published when `maintain` last looked."""

    async def ready(self) -> bool:
        """Tell whether an epoch to publish in has been seen: until then every sign-out is 503."""
        return bool(self._epoch)

    async def publish(self, row: StoredRevocation) -> None:
        """Publish what was just committed, and return once every service has been told.

        Raises:
            RevocationPending: not within half a second; the row is committed, and `maintain`
                will publish it.
        """
        await self._in_time(self._courier.send(row))

    async def publish_for(self, user_id: UUID) -> None:
        """Publish what is revoked of a user and pending, likewise."""
        await self._in_time(self._publish_of(user_id))

    async def end(self) -> None:
        """Leave nothing unsaid that can be said now; a frozen database may take some seconds."""
        try:
            await self._courier.end()
            if self._lateness.late:
                with contextlib.suppress(TimeoutError, ServiceUnavailable):
                    async with asyncio.timeout(END_SECONDS):
                        await self._round()
        finally:
            await self._lateness.end()

    async def _publish_of(self, user_id: UUID) -> None:
        await self._publish(await repository.pending_of_user(self._database, user_id))

    async def _in_time(self, publishing: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                await publishing
        except (TimeoutError, ServiceUnavailable) as away:
            self._lateness.miss()
            raise RevocationPending from away

    async def maintain(self) -> None:
        """Make the backlog whole: once, as soon as Redis answers; called again each second.

        A Redis that has lost its stream or its epoch, or more than is compared, is filled. Else
        what was published and is lacking is appended again: a failover may lose what was
        acknowledged. What is pending is published, and rows past their life are removed.
        """
        if not self._lateness.missed:
            self._lateness.miss()  # what somebody has left who died
        while True:
            await self._wait_for_redis()
            try:
                return await self._round()
            except ServiceUnavailable:
                if await self._answers():
                    raise  # it is the database, or was a moment only
                self._lateness.miss()

    async def _round(self) -> None:
        missed = self._lateness.missed
        number = await self._lateness.begin()
        seen = await self._compare()
        filled = False
        if seen.whole:
            self._epoch = seen.found.epoch
            await self._append_again([row for row in seen.rows if seen.found.lacks(row)])
        elif not (filled := await self._begin_epoch()):
            return  # another replica is at it
        told = await self._publish_pending(number, young=filled or self._lateness.late)
        await self._lateness.make_up(missed)
        await self._progress.told(told)
        expired = self._clock.now() - KEEP_EXPIRED
        await repository.remove_expired(self._database, expired, COMPARED)

    async def _wait_for_redis(self) -> None:
        """Return when Redis answers; an outage, which one slow probe is not, makes us late."""
        failures = 0
        while not await self._answers():
            failures += 1
            if failures == OUTAGE_AFTER:
                self._lateness.miss()
                log.warning("revocations.redis_away")
            if failures % COUNT_EVERY == OUTAGE_AFTER:  # a slow database must not keep us from it
                self.pending = (await repository.state(self._database)).pending
            await asyncio.sleep(PROBE_PAUSE_SECONDS)

    async def _answers(self) -> bool:
        try:
            return await self._redis.with_timeout(PROBE_SECONDS, self._redis.reachable())
        except ServiceUnavailable:
            return False

    async def _compare(self) -> _Comparison:
        """Compare what was told of late, and of deleted users, with what the backlog holds."""
        now = self._clock.now()
        since = now - self._token_life
        lately = await repository.published_since(self._database, since, COMPARED)
        deleted = await repository.deleted_users(self._database, now, COMPARED_DELETED)
        found = await self._backlog.look([*lately, *deleted])
        more_lost = any(
            len(rows) == limit and found.lacks(rows[-1])
            for rows, limit in ((lately, COMPARED), (deleted, COMPARED_DELETED))
        )
        return _Comparison([*lately, *deleted], found, found.whole and not more_lost)

    async def _append_again(self, lost: Sequence[StoredRevocation]) -> None:
        if lost:
            await self._publish(lost)
            log.warning("revocations.appended_again", count=len(lost))

    async def _publish_pending(self, number: int, *, young: bool) -> int:
        """Publish what nobody has; if not the `young`, only what was there a round ago.

        What is younger is in its handler's hands. Its age is not told by a clock, which may step.
        Returns the round by whose beginning all that was committed has been told.
        """
        state = await repository.state(self._database)
        before, self._before = self._before, _Extent(number, state.newest)
        extent = self._before if young else before
        count = 0
        while rows := await repository.pending_up_to(self._database, extent.newest, PAGE):
            await self._publish(rows)
            count += len(rows)
        self.pending = state.pending - count
        if count:
            log.info("revocations.published_late", count=count)
        return extent.number

    async def _publish(self, rows: Sequence[StoredRevocation]) -> None:
        """Publish rows and note where they are told.

        Raises:
            EpochGone: there is no epoch to publish in.
        """
        for start in range(0, len(rows), PAGE):
            await self._mark(await self._tell(rows[start : start + PAGE]))

    async def _tell(self, rows: Sequence[StoredRevocation]) -> Entries:
        """Publish rows; where it fails, or takes too long, mirrors will be asked for time."""
        try:
            return await self._tell_in_epoch(rows)
        except (ServiceUnavailable, asyncio.CancelledError):
            self._lateness.miss()  # `maintain` may have been kept from seeing it
            raise

    async def _tell_in_epoch(self, rows: Sequence[StoredRevocation]) -> Entries:
        try:
            return await self._backlog.publish(self._epoch, rows)
        except EpochGone:
            self._epoch = (await self._backlog.look()).epoch
            return await self._backlog.publish(self._epoch, rows)

    async def _mark(self, entries: Entries) -> None:
        await repository.mark_published(self._database, entries, self._clock.now())

    async def _begin_epoch(self) -> bool:
        """Append every live row, then set the epoch: mirrors that see it can read everything.

        False when another replica has done it, or is at it.
        """
        epoch, count = self._entropy.bytes(8).hex(), 0
        seeding = Seeding(self._backlog, self._redis, epoch)
        mark: Entries = {}
        async with self._database.transaction() as connection:
            if not await repository.try_lock(connection):
                return False
            seen = await self._compare()
            if seen.whole:  # another replica has just done it
                return False
            compared = {row.id for row in seen.rows}  # by which entry they are told has to be known
            since = self._clock.now() - KEEP_AFTER_EXPIRY
            async for page in repository.live(connection, since, SEED_PAGE):
                entries = await seeding.append(page)
                wanted = {row.id for row in page if row.entry is None or row.id in compared}
                mark |= {row: entry for row, entry in entries.items() if row in wanted}
                count += len(page)
            if not await seeding.begin(seen.found.epoch):
                return False
            self._epoch = epoch
            await self._mark(mark)
        log.info("revocations.epoch_begun", rows=count)
        return True
