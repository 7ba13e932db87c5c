"""Whatever happens, in any order: in touch means nothing old is missed, and nobody is revived."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from shared.errors import TokenRevoked
from shared.revocation import follower
from shared.revocation.catch_up import BEHIND, DEAD_AFTER, DONE, SIGN_SECONDS
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
        self.promised = self.spoke = False
        self.ended_at = 0.0
        self.speaks_until: float | None = None

    @precondition(lambda self: self.publishing)
    @rule(count=st.integers(1, 3))
    def everybody_loses_redis(self, count: int) -> None:
        self.down, self.server.reachable = True, False
        self.speaks_until, self.spoke, self.promised = None, False, True
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

    @precondition(lambda self: self.speaks_until is not None)
    @rule()
    def publisher_speaks(self) -> None:
        """It says that it is behind, then tells one row after the other, then says it is done."""
        number = next(self.numbers)
        untold = [row for row in self.due if row.told_at is None]
        sign = self.server.history.head.get(b"catch_up", b"")
        if sign.startswith(BEHIND.encode()) and self.spoke:
            if not untold:
                self.server.sign(f"{DONE}:{number}")
                self.speaks_until = None
                return
            self._tell(untold[0])
        self.spoke = True
        self.server.sign(f"{BEHIND}:{number}")
        self.speaks_until = self.clock.seconds + DEAD_AFTER

    def pass_time(self, seconds: float) -> None:
        """A publisher that is alive speaks in time."""
        ends = self.clock.seconds + seconds
        while not self.down and self.speaks_until is not None and self.speaks_until <= ends:
            self.publisher_speaks()
        super().pass_time(seconds)

    def history_was_lost(self) -> None:
        self.due, self.speaks_until, self.promised = [], None, False

    @invariant()
    def what_was_revoked_during_an_outage_is_known_once_in_touch(self) -> None:
        if self.clock.seconds - self.mirror.staleness < self.ended_at:
            return
        for row in self.due:
            if self.clock.now() <= row.expires_at:
                assert self._answer(row.victim) is TokenRevoked


@pytest.fixture(autouse=True)
def _several_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "PAGE", 3)


TestModel = Outages.TestCase
TestModel.settings = settings(
    max_examples=150,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
