"""A subscriber's place in the log: what it reads next, and when it may say that it knows all."""

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from shared.clock import milliseconds
from shared.revocation.cache import RevocationCache
from shared.revocation.message import Revocation, split_id
from shared.revocation.stream_cursor import Page, StreamCursor, StreamId, parse_id
from shared.revocation.subscriber import RevocationSubscriber
from tests.support.clock import MovableClock
from tests.support.revocation_messages import encode

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = b"k" * 40
HEAD = {b"epoch": b"one", b"last": b"5-0"}


class Reader:
    """A position, and what it has applied."""

    def __init__(self) -> None:
        self.applied: list[StreamId] = []
        self.understands: Callable[[bytes], bool] = lambda _message: True
        self.position = StreamCursor(self._apply)

    def _apply(self, entry: StreamId, message: bytes) -> bool:
        self.applied.append(entry)
        return self.understands(message)

    def read(self, *pages: Page) -> None:
        for page in pages:
            assert self.position.next_range is not None
            self.position.apply_page(page)
        assert self.position.next_range is None


def entries(*numbers: int, text: str = "m") -> Page:
    return [(f"{number}-0".encode(), {b"m": f"{text}{number}".encode()}) for number in numbers]


@pytest.fixture
def reader() -> Reader:
    """At the head."""
    made = Reader()
    assert made.position.update_head(HEAD)
    assert made.position.next_range == ("-", "5-0")
    made.read(entries(3, 4, 5))
    assert made.position.is_at_head
    made.applied.clear()
    return made


def test_parse_id_sorts_by_number() -> None:
    assert parse_id(b"9-10") > parse_id(b"9-9") > parse_id(b"9")
    assert parse_id(b"10-0") > parse_id(b"9-99")


def test_cursor_at_the_head_reads_nothing(reader: Reader) -> None:
    assert reader.position.update_head(HEAD)
    reader.read()
    assert reader.position.is_at_head


def test_cursor_reads_from_its_last_entry(reader: Reader) -> None:
    assert reader.position.update_head(HEAD | {b"last": b"9-0"})
    assert reader.position.next_range == ("5-0", "9-0")
    reader.position.apply_page(entries(5, 6, 7))
    assert reader.position.next_range == ("(7-0", "9-0")
    reader.read(entries(9))
    assert reader.position.is_at_head
    assert reader.applied == [(6, 0), (7, 0), (9, 0)]


def test_update_head_without_an_epoch_returns_false(reader: Reader) -> None:
    for head in ({}, {b"last": b"5-0"}):
        assert not reader.position.update_head(head)


@pytest.mark.parametrize(
    "head",
    [
        HEAD | {b"epoch": b"two"},
        HEAD | {b"epoch": b"two", b"last": b"9-0"},
        HEAD | {b"last": b"4"},
    ],
    ids=["another epoch", "another epoch, further", "a head that went back"],
)
def test_cursor_other_epoch_or_earlier_head_rewinds(
    reader: Reader, head: dict[bytes, bytes]
) -> None:
    assert reader.position.update_head(head)
    assert reader.position.next_range == ("-", "{}-{}".format(*parse_id(head[b"last"])))
    assert not reader.position.is_at_head


@pytest.mark.parametrize("page", [(), entries(6, 7), entries(5, 6, text="other")])
def test_cursor_changed_entry_at_its_place_rewinds(reader: Reader, page: Page) -> None:
    """The head is beyond our place, but the entry that we knew there is not there any more."""
    assert reader.position.update_head(HEAD | {b"last": b"7-0"})
    reader.position.apply_page(page)
    assert reader.position.next_range == ("-", "7-0")
    reader.read(entries(2, 4, 7, text="other"))
    assert reader.position.is_at_head
    assert reader.applied == [(2, 0), (4, 0), (7, 0)]


@pytest.mark.parametrize("pages", [[entries(5), ()], [entries(5, 6), ()], [(), ()]])
def test_cursor_stream_ending_before_its_head_is_not_at_head(
    reader: Reader, pages: list[Page]
) -> None:
    assert reader.position.update_head(HEAD | {b"last": b"7-0"})
    reader.read(*pages)
    assert not reader.position.is_at_head


def test_cursor_empty_stream_is_at_head() -> None:
    reader = Reader()
    assert reader.position.update_head({b"epoch": b"one", b"last": b"0-0"})
    reader.read()
    assert reader.position.is_at_head


def test_cursor_unverified_entry_holds_it_and_later_ones_apply(reader: Reader) -> None:
    reader.understands = lambda message: message != b"m6"
    for _ in range(2):
        reader.applied.clear()
        assert reader.position.update_head(HEAD | {b"last": b"7-0"})
        reader.read(entries(5, 6, 7))
        assert not reader.position.is_at_head
        assert reader.applied == [(6, 0), (7, 0)]
    reader.understands = lambda _message: True  # the key has come
    assert reader.position.update_head(HEAD | {b"last": b"7-0"})
    reader.read(entries(5, 6, 7))
    assert reader.position.is_at_head


def test_cursor_rewound_reads_from_the_start(reader: Reader) -> None:
    reader.position.rewind()
    assert reader.position.update_head(HEAD)
    assert reader.position.next_range == ("-", "5-0")


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        (b'{"id":"12-3","v":1}', b"12-3"),
        (b'{"v":1}', None),
        (b'{"id":"x","v":1}', None),
        (b'{"id":"1-2-3","v":1}', None),
        (b'{"id":"' + b"9" * 30 + b'-0","v":1}', None),
    ],
)
def test_split_id_accepts_well_formed_ids_only(text: bytes, entry: bytes | None) -> None:
    assert split_id(text) == (entry, b'{"v":1}' if entry else text)


def test_subscriber_lag_is_the_delay_of_the_newest_message() -> None:
    clock = MovableClock()
    cache = RevocationCache(clock)
    redis: Any = None  # nothing is asked of it
    subscriber = RevocationSubscriber(redis, [KEY], cache, clock)
    now = clock.now()
    texts = [
        encode([Revocation("session", str(uuid4()), "logout", now)], epoch="e", at=now, keys=[KEY])
        for _ in range(3)
    ]
    ids = [(milliseconds(now) - late, 0) for late in (90_000, 40_000, 500)]
    subscriber._verify_and_apply(ids[0], texts[0].encode())
    assert cache.lag == 0  # it was there before us
    cache.mark_fresh(clock.monotonic())
    subscriber._verify_and_apply(ids[1], texts[1].encode())
    assert 40 <= cache.lag < 41
    subscriber.on_message(f'{{"id":"{ids[2][0]}-{ids[2][1]}",{texts[2][1:]}'.encode())
    assert 0.5 <= cache.lag < 1.5
    subscriber._verify_and_apply(ids[0], texts[0].encode())  # read again
    assert cache.lag < 1.5
