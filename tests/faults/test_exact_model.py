"""Whatever happens, in any order: after a 204 the subscriber honours no token that was revoked."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from auth_service.revocation.subscribers import Marker, Subscribers
from shared.entropy import SystemEntropy
from shared.revocation import subscriber
from shared.revocation.catch_up import NO_PUBLISHER_SECONDS
from shared.revocation.stream_cursor import StreamId, StreamPosition, format_id, parse_id
from tests.faults.log_server import LogServer
from tests.faults.model import BOUND, KEY, USERS, Row
from tests.faults.test_model import Outages
from tests.support.long_runs import amount

ACTIONS: dict[str, Callable[[Any], object]] = {
    "look": lambda model: model.look(""),
    "failover during a look": lambda model: model.look("fail_over"),
    "sign-out during a look": lambda model: model.look("sign out"),
    "sign-out during the second look": lambda model: model.look("sign out later"),
    "failover": lambda model: model.fail_over(2, 0),
    "rounds": lambda model: model.complete_rounds(),
    "a second": lambda model: model.wait(1),
    "message": lambda model: model.subscriber_hears(1),
    "acknowledgement": lambda model: model.subscriber_acknowledges(),
    "publisher hears": lambda model: model.publisher_hears(2),
    "restart": lambda model: model.restart(),
    "half open": lambda model: model.subscription_is_half_open(),
}
STEPS = st.lists(st.sampled_from(sorted(ACTIONS)), max_size=8)


@dataclass
class Connection:
    """A subscriber's two connections to one server; they break when another one takes over."""

    server: LogServer
    is_lost: bool = False
    hears: bool = True
    messages: deque[bytes] = field(default_factory=deque)

    async def execute(self, *commands: tuple[Any, ...]) -> list[Any]:
        if self.is_lost:
            raise ConnectionError
        return await self.server.execute(*commands)


@dataclass
class SignOut:
    """A call that waits for its answer."""

    row: Row
    position: StreamPosition
    marker: Marker
    published_at: float


class ExactSignOuts(Outages):
    """The publisher's real half beside the subscriber's real half.

    Messages of a subscription keep their order, and are lost only from some moment on. What the
    subscriber publishes reaches the publisher in its order, late or never.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[SignOut] = []
        self.answered: list[Row] = []
        self.said: deque[bytes] = deque()
        self.start_publisher()
        self.subscribers._listening_since = -2 * float(BOUND)  # for long
        self.connect()

    def start_publisher(self) -> None:
        redis: Any = None  # the model hands the messages over
        self.subscribers = Subscribers(
            redis=redis, keys=[KEY], clock=self.clock, entropy=SystemEntropy(), max_staleness=BOUND
        )
        self.said.clear()
        self.calls.clear()
        self.subscribers._listening_since = self.clock.seconds

    def connect(self) -> None:
        self.connection = Connection(self.server)
        self.server.on_published = lambda text: self.said.append(text.encode())

    def disconnect(self) -> None:
        super().disconnect()
        self.connect()

    # A sign-out: published with a marker, answered once it is confirmed

    @precondition(lambda self: self.publishing)
    @rule(user=st.sampled_from(USERS))
    def sign_out(self, user: Any) -> None:
        self.revoke("session", user)
        self.call(self.rows[-1])

    @precondition(lambda self: self.publishing and self.rows)
    @rule(which=st.randoms(use_true_random=False))
    def sign_out_again(self, which: Any) -> None:
        """As a client does that was answered 503: what Redis lacks is published again."""
        row = which.choice(self.rows)
        if not self.server.holds(row.message):
            self._tell(row)
        self.call(row)

    def call(self, row: Row) -> None:
        marker = self.subscribers.new_marker()
        self.said.append(marker.text.encode())
        head = self.server.history.head
        position = StreamPosition(head[b"epoch"].decode(), parse_id(head[b"last"]))
        marker.position = position
        self.calls.append(SignOut(row, position, marker, self.clock.seconds))

    def _tell(self, row: Row, *, published: bool = True, key: bytes = KEY) -> None:
        super()._tell(row, published=published, key=key)
        if published and self.connection.hears:
            entry = self.server.history.log[-1][0]
            text = f'{{"id":"{format_id(entry)}",{row.message[1:]}'
            self.connection.messages.append(text.encode())

    @precondition(lambda self: self.publishing and self.publishers)
    @rule(before=STEPS, after=STEPS)
    def sign_out_while_fresh(self, before: list[str], after: list[str]) -> None:
        self.everything_is_heard()
        self.publisher_completes_rounds_between_two_looks()
        for step in before:
            ACTIONS[step](self)
        if self.publishing:
            self.sign_out(USERS[0])
        for step in after:
            ACTIONS[step](self)
            self.answered_token_is_not_honoured()

    def _happen(self, meanwhile: str) -> None:
        """Between the head and its pages; the second look of two is the one that counts."""
        if meanwhile == "sign out later":
            self.server.after_head = lambda: self._happen("sign out")
        elif meanwhile == "sign out" and self.publishing:
            self.sign_out(USERS[0])
            self.publisher_hears(len(self.said))
            self.answer_confirmed_calls()
        else:
            super()._happen(meanwhile)

    # What is under way

    @rule(count=st.integers(1, 4))
    def subscriber_hears(self, count: int) -> None:
        for _ in range(min(count, len(self.connection.messages))):
            self.subscriber.on_message(self.connection.messages.popleft())

    @rule()
    def subscriber_acknowledges(self) -> None:
        if self.subscriber._applied.moved.is_set() and not self.connection.is_lost:
            self.subscriber._applied.moved.clear()
            self.said.append(self.subscriber._acknowledgement(BOUND)[2].encode())

    @rule(count=st.integers(1, 4))
    def publisher_hears(self, count: int) -> None:
        for _ in range(min(count, len(self.said))):
            self.subscribers.on_message(self.said.popleft())

    @rule()
    def everything_is_heard(self) -> None:
        self.subscriber_hears(len(self.connection.messages))
        self.subscriber_acknowledges()
        self.publisher_hears(len(self.said))

    @rule()
    def subscription_is_half_open(self) -> None:
        self.connection.hears = False

    @rule()
    def publisher_subscribes_again(self) -> None:
        self.said.clear()
        self.subscribers._listening_since = self.clock.seconds

    @rule()
    def publisher_restarts(self) -> None:
        self.start_publisher()

    @rule(back=st.integers(1, 6), lag=st.sampled_from([0, -2000, -500]))
    def fail_over(self, back: int, lag: int) -> None:
        """Each connection breaks; the publisher's acknowledgements may still be under way."""
        self.connection.is_lost, self.connection.hears = True, False
        super().fail_over(back, lag)

    @rule()
    def restart(self) -> None:
        self.connect()
        super().restart()

    # The promise

    def pass_time(self, seconds: float) -> None:
        self.answer_confirmed_calls()
        super().pass_time(seconds)
        heard_at = max(self.last_sign_at, self.first_look_at or 0)
        if not self.publishers and self.clock.seconds - heard_at >= NO_PUBLISHER_SECONDS:
            self.answered.clear()  # the subscriber trusts a stream that nothing repairs

    @invariant()
    def answered_token_is_not_honoured(self) -> None:
        self.answer_confirmed_calls()
        for row in self.answered:
            if self.clock.now() <= row.expires_at:
                assert self._answer(row.victim) is not None

    def answer_confirmed_calls(self) -> None:
        for call in list(self.calls):
            if self.is_confirmed(call) and not self.down:
                self.calls.remove(call)
                if self.is_kept(call):
                    self.answered.append(call.row)

    def is_confirmed(self, call: SignOut) -> bool:
        if call.marker.heard.is_set():
            return not self.subscribers._is_awaiting(call.marker)
        waited = self.clock.seconds - call.published_at
        return waited >= self.subscribers._longest_staleness

    def is_kept(self, call: SignOut) -> bool:
        """Whether Redis has the entry, the row and the epoch, as the publisher asks at last."""
        epoch = (self.server.epoch or b"").decode()
        entries: list[StreamId] = [entry for entry, _ in self.server.history.log]
        has_entry = call.position.entry in entries
        return epoch == call.position.epoch and has_entry and self.server.holds(call.row.message)


@pytest.fixture(autouse=True)
def _several_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriber, "PAGE_SIZE", 3)


TestExactSignOuts = pytest.mark.long(ExactSignOuts.TestCase)
TestExactSignOuts.settings = settings(
    max_examples=amount(50, 400),
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
