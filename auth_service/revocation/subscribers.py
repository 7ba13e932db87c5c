"""The services that follow the revocations, and whether all of them have applied an entry."""

import asyncio
from collections import Counter
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from logging import WARNING
from math import inf
from typing import NamedTuple
from weakref import WeakValueDictionary

import structlog

from shared.alarm import Alarm
from shared.background import wait_for_event
from shared.clock import Clock
from shared.entropy import Entropy
from shared.redis import BatchedRedis
from shared.revocation.acknowledgement import ACKNOWLEDGEMENT_CHANNEL, Acknowledgement
from shared.revocation.message import UnverifiedMessageError
from shared.revocation.stream_cursor import START, StreamId, StreamPosition

CLOCK_MARGIN_SECONDS = 0.1
"""Two machines' clocks may run that much apart while a subscriber's staleness lasts."""
FORGET_AFTER_SECONDS = 60
"""No subscriber honours tokens for so long without being heard."""
MAX_KNOWN = 1000
"""More are waited for as if they were not heard, so that names alone fill no memory."""
GATHER_SECONDS_EACH, MOST_GATHER_SECONDS = 0.0001, 0.005
"""The more subscribers, the later the slowest of them acknowledges anyway."""
UNVERIFIED = "revocations.unverified_acknowledgement_ignored"
"""Each subscriber's login can publish messages without a signature."""
_MARKER_START = b'{"published":'
_UNHEARD = ""
log = structlog.get_logger()


@dataclass(eq=False)
class Marker:
    """The message that ends a publication.

    `awaited`, once it is heard: the subscribers that may not have applied the publication, and
    until when each of them may honour tokens all the same. `applied` is set when the last one has.
    `position`: of the publication, None until its script has answered.
    """

    text: str
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    applied: asyncio.Event = field(default_factory=asyncio.Event)
    position: StreamPosition | None = None
    awaited: dict[str, float] = field(default_factory=dict)


class Subscriber(NamedTuple):
    """A subscriber's newest acknowledgement, and when (monotonic) it was heard."""

    newest: Acknowledgement
    heard_at: float

    @property
    def honours_until(self) -> float:
        """The moment by which it honours no token that it could not check again since."""
        if self.newest.max_staleness is None:  # `fail_open`: it chose not to be waited for
            return -inf
        return self.heard_at + self.newest.max_staleness + CLOCK_MARGIN_SECONDS

    def lag(self, newest: StreamId) -> float | None:
        """Return the seconds from its newest entry to the `newest` of all; None without any."""
        applied = self.newest.applied.entry
        return None if applied == START else max(0, newest[0] - applied[0]) / 1000


@dataclass(eq=False, kw_only=True, repr=False)  # a repr would show the keys
class Subscribers:
    """Listens to what subscribers acknowledge, and waits until all have applied an entry.

    Each publication ends with a marker of its own on the channel of the acknowledgements. Once the
    marker is heard, each subscriber is known that announced a look before the publication. A look
    announced later shows the entry. So the subscribers to wait for are known, and until when each
    of them may honour tokens without having applied the entry.

    `max_staleness`: the longest of a subscriber that was not heard yet. `round_wanted` is set when
    a subscriber starts, which awaits a publisher's round.
    """

    redis: BatchedRedis
    keys: Sequence[bytes]
    clock: Clock
    entropy: Entropy
    max_staleness: float
    round_wanted: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    _known: dict[str, Subscriber] = field(init=False, default_factory=dict)
    _markers: MutableMapping[bytes, Marker] = field(init=False, default_factory=WeakValueDictionary)
    _waiting: Counter[Marker] = field(init=False, default_factory=Counter)
    _listening_since: float = field(init=False, default=inf)
    _uncounted_until: float = field(init=False, default=-inf)
    _published: StreamId = field(init=False, default=START)
    _unverified: Alarm = field(init=False, default_factory=partial(Alarm, UNVERIFIED, WARNING))

    async def listen(self) -> None:
        """Hear what subscribers say until the connection is lost."""
        try:
            async with self.redis.open_connection() as connection:
                subscription = await connection.subscribe(
                    ACKNOWLEDGEMENT_CHANNEL, self.on_message, self._gather_seconds
                )
                self._listening_since = self.clock.monotonic()
                await connection.wait_until_lost(subscription)
        finally:
            self._listening_since = inf

    def _gather_seconds(self) -> float:
        """Return for how long acknowledgements gather: one costs less than to wake up for it."""
        return min(len(self._known) * GATHER_SECONDS_EACH, MOST_GATHER_SECONDS)

    def on_message(self, text: bytes) -> None:
        """Take note of an acknowledgement, or of a marker of ours."""
        if text.startswith(_MARKER_START):
            marker = self._markers.get(text)
            if marker is not None and self._listening_since < inf:
                marker.awaited = self._honouring()
                marker.heard.set()
            return
        try:
            newest = Acknowledgement.decode(text, self.keys)
        except UnverifiedMessageError:
            self._unverified.record(self.clock.monotonic())
            return
        name = newest.subscriber
        if newest.max_staleness == 0:
            self._known.pop(name, None)
            self.round_wanted.set()
        else:
            self._take_note(Subscriber(newest, self.clock.monotonic()))
        for marker in self._waiting:
            if name in marker.awaited and self._has_applied(name, marker.position):
                del marker.awaited[name]
                if not marker.awaited:
                    marker.applied.set()

    def _take_note(self, subscriber: Subscriber) -> None:
        name = subscriber.newest.subscriber
        if name not in self._known and len(self._known) >= MAX_KNOWN:
            self._forget_lost()
            if len(self._known) >= MAX_KNOWN:
                self._uncounted_until = max(self._uncounted_until, subscriber.honours_until)
                return
        self._known[name] = subscriber

    def known(self) -> list[Subscriber]:
        """Return the subscribers that were heard within a minute, in the order of their names."""
        self._forget_lost()
        return [self._known[name] for name in sorted(self._known)]

    @property
    def newest_entry(self) -> StreamId:
        """The newest entry that was published here or applied by any subscriber."""
        return max([self._published, *(one.newest.applied.entry for one in self._known.values())])

    def new_marker(self) -> Marker:
        """Return a marker that cannot be guessed; it is recognised while it is referenced."""
        text = f'{{"published":"{self.entropy.bytes(12).hex()}"}}'
        marker = self._markers[text.encode()] = Marker(text)
        return marker

    async def wait_until_applied(self, position: StreamPosition, marker: Marker) -> None:
        """Return once no subscriber honours what an entry revoked that was just published.

        A subscriber that stays silent honours nothing after its staleness, so the wait ends. While
        our own marker is not heard, a subscriber may be there that is not heard either.
        """
        self._published, marker.position = position.entry, position
        self._waiting[marker] += 1
        try:
            await self._wait(marker)
        finally:
            self._waiting[marker] -= 1
            if not self._waiting[marker]:
                del self._waiting[marker]

    async def _wait(self, marker: Marker) -> None:
        if not await wait_for_event(marker.heard, self._longest_staleness):
            log.info("revocations.marker_not_heard")
            return
        while self._is_awaiting(marker):
            left = max(marker.awaited.values()) - self.clock.monotonic()
            if not await wait_for_event(marker.applied, left):
                late = sorted(marker.awaited.keys() - {_UNHEARD})
                log.warning("revocations.subscribers_late", subscribers=late)

    def _is_awaiting(self, marker: Marker) -> bool:
        """Return whether a subscriber is still to be waited for; forget the others."""
        now = self.clock.monotonic()
        marker.awaited = {
            name: until
            for name, until in marker.awaited.items()
            if until > now and not self._has_applied(name, marker.position)
        }
        return bool(marker.awaited)

    def _has_applied(self, name: str, position: StreamPosition | None) -> bool:
        if name == _UNHEARD or position is None:
            return False
        subscriber = self._known.get(name)
        # Not known any more: it said goodbye, or it was silent for long enough.
        return subscriber is None or subscriber.newest.applied.covers(position)

    def _honouring(self) -> dict[str, float]:
        """Return until when each subscriber may honour tokens, those that are not heard yet too."""
        self._forget_lost()
        unheard_until = max(self._listening_since + self._longest_staleness, self._uncounted_until)
        known = {name: one.honours_until for name, one in self._known.items()}
        return known | {_UNHEARD: unheard_until}

    def _forget_lost(self) -> None:
        now = self.clock.monotonic()
        self._known = {
            name: one
            for name, one in self._known.items()
            if now < one.heard_at + FORGET_AFTER_SECONDS
        }

    @property
    def _longest_staleness(self) -> float:
        known = (one.newest.max_staleness or 0 for one in self._known.values())
        return max([self.max_staleness, *known]) + CLOCK_MARGIN_SECONDS
