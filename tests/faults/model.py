"""A model of the cache: a publisher and a Redis of straw, and whatever can happen to them."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.errors import ServiceUnavailable, TokenRevoked
from shared.revocation.cache import KEEP_AFTER_EXPIRY, RevocationCache
from shared.revocation.message import Revocation
from shared.revocation.subscriber import RevocationSubscriber
from shared.tokens import Claims
from tests.faults.log_server import LogServer
from tests.faults.model_clock import ModelClock
from tests.support.revocation_messages import encode

KEY, NEXT_KEY, STRANGER = b"k" * 40, b"n" * 40, b"s" * 40
BOUND = 3
LIFE = timedelta(minutes=10)
LEEWAY = timedelta(seconds=30)
STEP = timedelta(minutes=5)
USERS = [UUID(int=number) for number in range(1, 4)]


@dataclass
class Row:
    """A committed revocation, and a token that it kills, good until `expires_at`.

    `told_at`: since when every cache that asks can know it; None while no epoch tells it.
    """

    revocation: Revocation
    victim: Claims
    expires_at: datetime
    message: str = ""
    told_at: float | None = None
    refused: bool = False


class Model(RuleBasedStateMachine):
    """One real subscriber with its cache, beside a publisher and a Redis of straw."""

    def __init__(self) -> None:
        super().__init__()
        self.clock, self.server = ModelClock(), LogServer()
        self.cache = RevocationCache(self.clock, max_staleness=BOUND)
        self.connection: Any = self.server
        pool: Any = None  # the model holds the connection
        self.subscriber = RevocationSubscriber(pool, [KEY], self.cache, self.clock)
        self.loop = asyncio.new_event_loop()
        self.rows: list[Row] = []
        self.air: list[str] = []
        self.seeded: int | None = None  # rows of an epoch that is about to begin
        self.numbers = count(1)
        self.generations = dict.fromkeys(USERS, 0)
        self.server.begin("epoch-0")

    def teardown(self) -> None:
        self.loop.close()

    def _tell(self, row: Row, *, published: bool = True, key: bytes = KEY) -> None:
        epoch = (self.server.epoch or b"").decode()
        self.server.milliseconds = int(self.clock.true.timestamp() * 1000) + self.lag
        at = self.clock.now() + timedelta(microseconds=next(self.numbers))
        row.message = encode([row.revocation], epoch=epoch, at=at, keys=[key])
        self.server.append(row.message, published=published)
        if published:
            self.air.append(row.message)
            row.told_at = self.clock.seconds if row.told_at is None else row.told_at

    lag = 0
    down = False
    """Whether Redis is out of everybody's reach."""

    @property
    def publishing(self) -> bool:
        return self.server.epoch is not None and not self.down

    @rule(kind=st.sampled_from(["session", "token", "user"]), user=st.sampled_from(USERS))
    def revoke_and_wait(self, kind: Any, user: UUID) -> None:
        self.revoke(kind, user)
        self.wait(0.125)

    @rule(kind=st.sampled_from(["session", "token", "user"]), user=st.sampled_from(USERS))
    def revoke(self, kind: Any, user: UUID) -> None:
        number, generation = next(self.numbers), self.generations[user]
        claims = Claims(user, UUID(int=number << 64), f"j{number}", generation, 0, 0, 0, 0, (), ())
        names = {"session": str(claims.sid), "token": claims.jti, "user": str(user)}
        if kind == "user":
            self.generations[user] += 1
        raised = self.generations[user] if kind == "user" else None
        ends = self.clock.now() + LIFE + timedelta(minutes=1)
        signed_at = self.clock.true + STEP  # by the clock that was wrong the most
        row = Row(
            Revocation(kind, names[kind], "logout", ends, raised), claims, signed_at + LIFE + LEEWAY
        )
        self.rows.append(row)
        if self.publishing:
            self._tell(row)

    @precondition(lambda self: self.rows and self.publishing)
    @rule()
    def sign_with_the_next_key(self) -> None:
        """A replica that was given it too early tells something that we cannot verify yet."""
        self._tell(self.rows[-1], key=NEXT_KEY)

    @rule()
    def learn_the_next_key(self) -> None:
        self.subscriber._keys = [KEY, NEXT_KEY]

    @precondition(lambda self: self.publishing)
    @rule()
    def make_whole(self) -> None:
        """The publisher's round: what the log lacks is appended, published before or not."""
        for row in self._live():
            if not self.server.holds(row.message):
                self._tell(row)

    def _live(self) -> list[Row]:
        horizon = self.clock.now() - KEEP_AFTER_EXPIRY
        return [row for row in self.rows if row.revocation.expires_at > horizon]

    @precondition(lambda self: self.server.epoch is None and self.seeded is None and not self.down)
    @rule()
    def seed(self) -> None:
        for row in self._live():
            self._tell(row, published=False)
        self.seeded = len(self.rows)

    @precondition(lambda self: self.seeded is not None and not self.down)
    @rule()
    def begin_epoch(self) -> None:
        seeded, self.seeded = self.seeded, None
        if self.server.epoch is not None:
            return
        self.server.begin(f"epoch-{next(self.numbers)}")
        for row in self.rows[:seeded]:
            row.told_at = self.clock.seconds if row.told_at is None else row.told_at

    @precondition(lambda self: self.air)
    @rule(which=st.randoms(use_true_random=False), again=st.booleans(), lost=st.booleans())
    def deliver(self, which: Any, again: bool, lost: bool) -> None:
        message = which.choice(self.air)
        if not again:
            self.air.remove(message)
        if not lost:
            self.subscriber.on_message(b'{"id":"1-1",' + message[1:].encode())

    @rule()
    def a_stranger_publishes(self) -> None:
        ends = self.clock.now() + LIFE
        revocation = Revocation("user", str(USERS[0]), "logout", ends, 10**9)
        text = encode([revocation], epoch="e", at=ends, keys=[STRANGER])
        self.subscriber.on_message(text.encode())

    @rule()
    def wipe(self) -> None:
        self.server.wipe()
        self.seeded = None
        self.history_was_lost()

    @rule(back=st.integers(1, 6), lag=st.sampled_from([0, -2000, -500]))
    def fail_over(self, back: int, lag: int) -> None:
        """What the new master lacks is told again only when it has been appended again."""
        self.server.fail_over(back)
        self.seeded, self.lag = None, lag
        for row in self.rows:
            if not self.server.holds(row.message):
                row.told_at = None
        self.history_was_lost()

    def history_was_lost(self) -> None:
        """Void what else was promised."""

    @rule(back=st.integers(1, 3), lag=st.sampled_from([0, -2000, -500]))
    def fail_over_and_go_on(self, back: int, lag: int) -> None:
        """Before anybody looks the new master is further than the old one was."""
        self.fail_over(back, lag)
        for _ in range(2):
            self.revoke("session", USERS[0])
            self.wait(1)

    @rule()
    def trim(self) -> None:
        life = LIFE + KEEP_AFTER_EXPIRY
        self.server.trim(int((self.clock.true - life).timestamp() * 1000))

    @rule(up=st.booleans())
    def link(self, up: bool) -> None:
        self.server.reachable = up and not self.down

    @rule(meanwhile=st.sampled_from(["", "", "wipe", "fail_over", "revoke", "link", "new_epoch"]))
    def look(self, meanwhile: str) -> None:
        self.before_look()
        self.server.after_head = lambda: self._happen(meanwhile)
        try:
            self.loop.run_until_complete(self.subscriber._sync_to_head(self.connection))
        except ConnectionError:
            self.disconnect()
        self.server.after_head = None

    def before_look(self) -> None:
        """Note what is promised."""

    def disconnect(self) -> None:
        self.subscriber.on_disconnect()

    @rule()
    def restart(self) -> None:
        """A new process knows nothing."""
        self.air.clear()
        self.cache = RevocationCache(self.clock, max_staleness=BOUND)
        pool: Any = None
        keys = self.subscriber._keys
        self.subscriber = RevocationSubscriber(pool, keys, self.cache, self.clock)
        for row in self.rows:
            row.refused = False
        self.forget_promises()
        self.look("")

    def forget_promises(self) -> None:
        """A new process was promised nothing yet."""

    def _happen(self, meanwhile: str) -> None:
        """Between the head and the page that it asks for."""
        match meanwhile:
            case "wipe":
                self.wipe()
            case "fail_over":
                self.fail_over(2, 0)
            case "link":
                self.link(up=False)
            case "revoke":
                self.revoke("session", USERS[0])
                self.wait(0.5)
            case "new_epoch":
                self.wipe()
                if not self.down:
                    self.seed()
                    self.begin_epoch()

    @rule()
    def look_in_peace(self) -> None:
        self.look("")

    @rule()
    def reconnect(self) -> None:
        """Subscribe first, read the stream second."""
        self.air.clear()
        self.disconnect()
        self.look("")

    # exact in binary, so that moments can be compared
    @rule(seconds=st.sampled_from([0.125, 0.5, 1, 1, 3.5, 60, 400]))
    def wait(self, seconds: float) -> None:
        self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        self.clock.seconds += seconds

    @rule(step=st.sampled_from([-STEP, timedelta(), STEP]))
    def set_clock(self, step: timedelta) -> None:
        self.clock.step = step

    @rule()
    def forget(self) -> None:
        self.cache.remove_expired()

    @invariant()
    def nothing_old_is_missed_and_nobody_is_revived(self) -> None:
        as_of = self.clock.seconds - self.cache.staleness
        for row in self.rows:
            if self.clock.now() > row.expires_at:
                continue
            answer = self._answer(row.victim)
            # stronger than the bound: everything that was told when the head was asked for
            told = row.told_at is not None and row.told_at < as_of
            assert answer is TokenRevoked or not told
            assert answer is TokenRevoked or not row.refused
            row.refused = answer is TokenRevoked

    @invariant()
    def a_strangers_word_kills_nobody(self) -> None:
        fresh = Claims(USERS[0], UUID(int=1), "fresh", 10**6, 0, 0, 0, 0, (), ())
        assert self._answer(fresh) is not TokenRevoked

    def _answer(self, claims: Claims) -> type[Exception] | None:
        try:
            self.cache.check(claims)
        except (TokenRevoked, ServiceUnavailable) as refusal:
            return type(refusal)
        return None
