"""Use cases of calendar feeds."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import partial
from uuid import UUID

import structlog

from media_service.creative.timezones import TimezoneRegistry
from media_service.feed import repository
from media_service.feed.model import Feed, FeedContent, FeedEvent
from media_service.quota.model import QuotaLimits
from media_service.quota.service import reserve_bytes
from shared.clock import Clock
from shared.db import Database
from shared.entropy import Entropy
from shared.errors import NotFound, ServiceUnavailable
from shared.fair_pool import FairPool
from shared.opaque_tokens import SECRET_BYTES, encode_token, has_valid_checksum, hash_token

FORMAT = 1
"""To be raised when the same creatives are written in another way."""

WAIT_SECONDS, MAX_WAITING = 5, 64
log = structlog.get_logger()


def _new_turns() -> FairPool[UUID, None]:
    refusal = partial(ServiceUnavailable, WAIT_SECONDS, "Too many calendars are being written")
    return FairPool([None], refusal=refusal, capacity=MAX_WAITING)


@dataclass(frozen=True, slots=True)
class FeedService:
    """What users do with their feeds, and calendar programs with what they read."""

    database: Database
    quota: QuotaLimits
    clock: Clock
    entropy: Entropy
    _turns: FairPool[UUID, None] = field(init=False, default_factory=_new_turns)

    async def create(self, user_id: UUID) -> str:
        """Return the token of the user's new feed; the token before ends.

        Raises:
            TokenRevoked: the user is deleted.
        """
        token = encode_token("chf_", self.entropy.bytes(SECRET_BYTES))
        async with self.database.transaction() as connection:
            await reserve_bytes(connection, user_id, None, self.quota)
            await repository.replace(connection, user_id, hash_token(token), self.clock.now())
        log.info("feed.created", user_id=str(user_id))
        return token

    async def get(self, user_id: UUID) -> Feed:
        """Return the user's feed.

        Raises:
            NotFound: there is none.
        """
        feed = await repository.find(self.database, user_id)
        if feed is None:
            raise NotFound
        return feed

    async def delete(self, user_id: UUID) -> None:
        """Delete the user's feed.

        Raises:
            NotFound: there is none.
        """
        if not await repository.delete(self.database, user_id):
            raise NotFound
        log.info("feed.deleted", user_id=str(user_id))

    async def read(
        self, database: Database, timezones: TimezoneRegistry, token: str
    ) -> FeedContent:
        """Return what the feed of the token shows now; any bearer of the token may read it.

        Raises:
            NotFound: there is none. A token of our form costs one look-up, whatever it is.
        """
        now = self.clock.now()
        is_token = has_valid_checksum("chf_", token)
        user_id = is_token and await repository.record_read(database, hash_token(token), now)
        if not user_id:
            raise NotFound
        events = await repository.list_events(database, user_id, now)
        return FeedContent(user_id, events, _etag(events, timezones.version))

    async def write(self, content: FeedContent, timezones: TimezoneRegistry) -> bytes:
        """Return the feed as iCalendar, written in a thread; users take turns.

        Raises:
            ServiceUnavailable: too many wait, or the turn did not come in time.
        """
        zones = await _load_zones(content.events, timezones)
        async with self._turns.turn(content.user_id, WAIT_SECONDS):
            return await asyncio.to_thread(_write, content.events, zones)


def _write(events: Sequence[FeedEvent], zones: Mapping[str, tzinfo]) -> bytes:
    from media_service.feed.vcalendar import write_calendar  # noqa: PLC0415 - 0.1 s, when needed

    return write_calendar(events, zones)


async def _load_zones(
    events: Sequence[FeedEvent], timezones: TimezoneRegistry
) -> dict[str, tzinfo]:
    """Return the zones of the days; one that is no longer known has none."""
    names = {event.timezone for event in events if event.due_day}
    return {name: await timezones.require(name) for name in names if timezones.find(name) == name}


def _etag(events: Sequence[FeedEvent], timezones_version: str) -> str:
    """Return the entity tag: a creative's version identifies all that is shown of it."""
    shown = "".join(f"{event.id}:{event.version}\n" for event in events)
    text = f"{FORMAT}\n{timezones_version}\n{shown}"
    return f'"{hashlib.sha256(text.encode()).hexdigest()}"'
