"""Whatever happens, in any order: a fresh cache misses nothing old, and revives no token."""

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from shared.errors import TokenRevoked
from shared.revocation import subscriber
from shared.revocation.catch_up import NO_PUBLISHER_SECONDS
from tests.faults.model import USERS, Model, Row
from tests.support.long_runs import amount

ALIVE_SECONDS = 1.0
WAITS = st.lists(st.sampled_from([0.125, 0.5, 1, 3.5]), max_size=3)


@dataclass
class Publisher:
    """One of several: it starts a round, reads what to publish, publishes it, completes the round.

    However long the database holds it up, it gives a sign every second that it reaches Redis.
    """

    previous: tuple[int, int] = (0, 0)
    number: int | None = None
    completes: int | None = None
    to_publish: list[Row] = field(default_factory=list)
    publish_all: bool = True
    silent_since: float = 0


class Outages(Model):
    """With times in which nobody reaches Redis, and publishers that catch up afterwards.

    `promised`: how many of the first rows have to be refused once the cache is fresh again, while
    a publisher lives. After a lost connection these are all that were committed before the first
    look; after a start, all that were committed before the last round that a publisher had started.
    """

    def __init__(self) -> None:
        super().__init__()
        self.publishers = [Publisher() for _ in range(2)]
        self.promised = 0
        self.first_look_at: float | None = None
        self.was_cut_off = False
        self.rows_at_last_start = 0
        self.last_sign_at = 0.0

    # What happens to Redis, and to the subscriber

    @precondition(lambda self: self.publishing)
    @rule(count=st.integers(1, 3))
    def everybody_loses_redis(self, count: int) -> None:
        self.down, self.server.reachable = True, False
        self.look("")
        for _ in range(count):
            self.revoke_and_wait("session", USERS[0])

    @precondition(lambda self: self.down)
    @rule(waits=WAITS)
    def redis_returns(self, waits: list[float]) -> None:
        self.down, self.server.reachable = False, True
        for publisher in self.publishers:
            publisher.silent_since = self.clock.seconds
            publisher.publish_all = True
        self.look_again_and_again(waits)

    @precondition(lambda self: self.publishing)
    @rule(waits=WAITS)
    def subscriber_alone_is_cut_off(self, waits: list[float]) -> None:
        self.revoke_and_fail_to_publish()
        self.disconnect()
        self.look_again_and_again(waits)

    def look_again_and_again(self, waits: list[float]) -> None:
        self.look("")
        for seconds in waits:
            self.wait(seconds)
            self.look("")

    def disconnect(self) -> None:
        super().disconnect()
        self.pass_time(0.125)  # what was fresh before is older than the next look
        self.first_look_at, self.promised, self.was_cut_off = None, 0, True

    def forget_promises(self) -> None:
        self.first_look_at, self.promised, self.was_cut_off = None, 0, False

    def before_look(self) -> None:
        if self.first_look_at is None and self.server.reachable and self.server.epoch is not None:
            self.first_look_at = self.clock.seconds
            self.promised = len(self.rows) if self.was_cut_off else self.rows_at_last_start

    @precondition(lambda self: self.server.epoch is None and not self.down)
    @rule()
    def a_replica_rebuilds_the_stream(self) -> None:
        if self.seeded is None:
            self.seed()
        self.begin_epoch()

    @precondition(lambda self: self.publishing)
    @rule()
    def revoke_and_fail_to_publish(self) -> None:
        """As when the database is slow, or only auth_service is cut off from Redis."""
        self.down = True
        self.revoke("session", USERS[1])
        self.down = False

    # What publishers do

    def start_round(self) -> int:
        self.rows_at_last_start, self.last_sign_at = len(self.rows), self.clock.seconds
        self.server.note(begun=self.server.count("begun") + 1)
        return self.server.count("begun")

    @precondition(lambda self: self.publishing and self.publishers)
    @rule(which=st.randoms(use_true_random=False), steps=st.integers(1, 6))
    def publisher_goes_on(self, which: object, steps: int) -> None:
        publisher = which.choice(self.publishers)  # type: ignore[attr-defined]
        for _ in range(steps):
            self.step(publisher)

    @precondition(lambda self: self.publishing and self.publishers)
    @rule()
    def publisher_completes_rounds_between_two_looks(self) -> None:
        """So the subscriber is fresh, unless an entry keeps it from that."""
        self.look("")
        self.complete_rounds()
        self.look("")

    def complete_rounds(self) -> None:
        """Complete the round under way, and the next one, if a publisher reaches Redis."""
        for publisher in self.publishers[:1] * 3 if self.publishing else []:
            self.step(publisher)
            while publisher.number is not None:
                self.step(publisher)

    def step(self, publisher: Publisher) -> None:
        publisher.silent_since = self.clock.seconds
        if publisher.number is None:
            publisher.number = self.start_round()
        elif publisher.completes is None:
            self.read_pending(publisher)
        elif publisher.to_publish:
            row = publisher.to_publish.pop()
            if row.told_at is None:
                self._tell(row)
        else:
            self.complete_round(publisher.completes)
            publisher.number = publisher.completes = None

    def read_pending(self, publisher: Publisher) -> None:
        assert publisher.number is not None
        pending = [row for row in self.rows if row.told_at is None]
        previous, publisher.previous = publisher.previous, (publisher.number, len(self.rows))
        everything = publisher.publish_all or not pending
        publisher.publish_all = False
        publisher.completes, count = publisher.previous if everything else previous
        publisher.to_publish = [row for row in self.rows[:count] if row.told_at is None]

    def complete_round(self, number: int) -> None:
        if self.server.count("told") < number <= self.server.count("begun"):
            self.server.note(told=number)

    @precondition(lambda self: self.publishers)
    @rule()
    def publisher_dies(self) -> None:
        self.publishers.pop()

    @precondition(lambda self: len(self.publishers) < 3)
    @rule()
    def publisher_starts(self) -> None:
        self.publishers.append(Publisher(silent_since=self.clock.seconds))
        if not self.down:
            self.step(self.publishers[-1])

    def pass_time(self, seconds: float) -> None:
        """A publisher that lives gives a sign in time; without any, nothing is promised."""
        ends = self.clock.seconds + seconds
        while True:
            due = [one for one in self.publishers if one.silent_since + ALIVE_SECONDS <= ends]
            if self.down or not due:
                break
            first = min(due, key=lambda one: one.silent_since)
            first.silent_since += ALIVE_SECONDS
            self.clock.seconds = max(self.clock.seconds, first.silent_since)
            self.start_round()
        self.clock.seconds = ends
        heard_at = max(self.last_sign_at, self.first_look_at or 0)
        if not self.publishers and self.clock.seconds - heard_at >= NO_PUBLISHER_SECONDS:
            self.promised = 0

    def history_was_lost(self) -> None:
        """The numbers of rounds that are held up may be given again."""
        self.promised = self.rows_at_last_start = 0
        for publisher in self.publishers:
            publisher.number = publisher.completes = None
            publisher.previous, publisher.to_publish = (0, 0), []

    @invariant()
    def what_was_revoked_during_an_outage_is_known_once_fresh(self) -> None:
        as_of = self.clock.seconds - self.cache.staleness
        if self.first_look_at is None or as_of < self.first_look_at:
            return
        for row in self.rows[: self.promised]:
            if self.clock.now() <= row.expires_at:
                assert self._answer(row.victim) is TokenRevoked


@pytest.fixture(autouse=True)
def _several_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriber, "PAGE_SIZE", 3)


TestModel = pytest.mark.long(Outages.TestCase)
TestModel.settings = settings(
    max_examples=amount(30, 150),
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
