"""Whatever happens, in any order: in touch means nothing old is missed, and nobody is revived."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from shared.errors import TokenRevoked
from shared.revocation import subscriber
from shared.revocation.catch_up import DEAD_AFTER, SIGN_SECONDS
from tests.faults.model import USERS, Model, Row


class Outages(Model):
    """With times in which nobody reaches Redis, and publishers that catch up afterwards.

    `due`: what was revoked meanwhile, which a living publisher will tell. It says that it is
    behind within `SIGN_SECONDS`, and something new within `DEAD_AFTER`, or it is dead.
    """

    def __init__(self) -> None:
        super().__init__()
        self.due: list[Row] = []
        self.before = 0
        self.promised = False
        self.since: int | None = None
        self.round: int | None = None
        self.held: list[tuple[int, list[Row]]] = []
        self.ended_at = 0.0
        self.speaks_until: float | None = None

    @precondition(lambda self: self.publishing)
    @rule(count=st.integers(1, 3))
    def everybody_loses_redis(self, count: int) -> None:
        self.down, self.server.reachable = True, False
        self.speaks_until, self.since, self.round, self.promised = None, None, None, True
        self.due = [row for row in self.due if row.told_at is None]
        self.before = len(self.rows)
        self.look("")
        for _ in range(count):
            self.revoke_and_wait("session", USERS[0])

    @precondition(lambda self: self.down)
    @rule(alive=st.booleans())
    def redis_returns(self, *, alive: bool) -> None:
        """Nothing is promised of a Redis that has lost its history, or without a publisher."""
        self.down, self.server.reachable = False, True
        self.ended_at = self.clock.seconds
        if alive and self.promised:
            self.due += self.rows[self.before :]
            self.speaks_until = self.clock.seconds + SIGN_SECONDS
        else:
            self.due = []
        self.look("")

    def begin_round(self) -> int:
        self.server.note(begun=self.server.count("begun") + 1)
        return self.server.count("begun")

    def end_round(self, number: int) -> None:
        if self.server.count("told") < number <= self.server.count("begun"):
            self.server.note(told=number)

    @precondition(lambda self: self.speaks_until is not None)
    @rule()
    def publisher_speaks(self) -> None:
        """It says that it is behind, then makes a round that tells one row after the other."""
        untold = [row for row in self.due if row.told_at is None]
        if self.since is None:
            self.since = self.server.count("begun")
        elif self.round is None:
            self.round = self.begin_round()
        elif untold:
            self._tell(untold[0])
        else:
            self.end_round(self.round)
            self.speaks_until = None
            return
        begun, others = self.server.count("begun"), self.server.history.head.get(b"behind", -1)
        behind = max(min(self.since, begun), int(others))
        self.server.note(behind=behind, said=self.server.count("said") + 1)
        self.speaks_until = self.clock.seconds + DEAD_AFTER

    @precondition(lambda self: self.publishing)
    @rule()
    def a_round_is_held_up(self) -> None:
        """It knows what was to be told when it began."""
        self.held.append((self.begin_round(), [row for row in self.rows if row.told_at is None]))

    @precondition(lambda self: self.held and self.publishing)
    @rule()
    def a_round_goes_on(self) -> None:
        number, rows = self.held.pop()
        for row in rows:
            self._tell(row)
        self.end_round(number)

    @precondition(lambda self: self.publishing)
    @rule()
    def another_publisher_is_quicker(self) -> None:
        number = self.begin_round()
        for row in self.due:
            if row.told_at is None:
                self._tell(row)
        self.end_round(number)

    def pass_time(self, seconds: float) -> None:
        """A publisher that is alive speaks in time."""
        ends = self.clock.seconds + seconds
        while not self.down and self.speaks_until is not None and self.speaks_until <= ends:
            self.publisher_speaks()
        super().pass_time(seconds)

    def history_was_lost(self) -> None:
        self.due, self.held, self.speaks_until, self.promised = [], [], None, False

    @invariant()
    def what_was_revoked_during_an_outage_is_known_once_in_touch(self) -> None:
        if self.clock.seconds - self.cache.staleness < self.ended_at:
            return
        for row in self.due:
            if self.clock.now() <= row.expires_at:
                assert self._answer(row.victim) is TokenRevoked


@pytest.fixture(autouse=True)
def _several_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriber, "PAGE_SIZE", 3)


TestModel = Outages.TestCase
TestModel.settings = settings(
    max_examples=150,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
