"""How far a subscriber has applied the stream, and whether the stream is still the same one."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

StreamId = tuple[int, int]
Page = Sequence[tuple[bytes, Mapping[bytes, bytes]]]
START: StreamId = (0, 0)


def parse_id(text: bytes) -> StreamId:
    """Return a stream id as a pair; pairs sort in the stream's order, texts do not."""
    milliseconds, _, sequence = text.partition(b"-")
    return int(milliseconds), int(sequence or 0)


def format_id(stream_id: StreamId) -> str:
    """Return a stream id as Redis writes it."""
    return "{}-{}".format(*stream_id)


class StreamPosition(NamedTuple):
    """An entry's place: ids of different epochs cannot be compared."""

    epoch: str = ""
    entry: StreamId = START

    def covers(self, other: "StreamPosition") -> bool:
        """Tell whether the other position is at or before this one."""
        return self.epoch == other.epoch and self.entry >= other.entry


class StreamCursor:
    """One subscriber's position in the stream; it says what to read next and does no I/O.

    One check goes: `update_head`; while `next_range` is set, read that range and `apply_page`;
    then `is_at_head` tells whether everything up to that head has been applied.
    """

    def __init__(self, apply: Callable[[StreamId, bytes], bool]) -> None:
        """Give each message to `apply`, which returns whether a key verified it."""
        self._apply = apply
        self._epoch: bytes | None = None
        self._head = START
        self._read_up_to: StreamId | None = None
        self._is_exhausted = False
        self._all_verified = True
        self.rewind()

    def rewind(self) -> None:
        """Read the stream from its first entry again; what was applied stays applied."""
        self._applied_id, self._applied_message = START, b""
        self._read_up_to = None

    def update_head(self, head: Mapping[bytes, bytes]) -> bool:
        """Take the head's hash; return False if it has no epoch, as after a wipe.

        Another epoch, or a head before our position, is another history: read it from its start.
        """
        epoch = head.get(b"epoch")
        if epoch is None:
            return False
        self._head = parse_id(head.get(b"last", b"0"))
        if epoch != self._epoch or self._head < self._applied_id:
            self.rewind()
        self._epoch = epoch
        self._read_up_to, self._is_exhausted, self._all_verified = None, False, True
        return True

    @property
    def next_range(self) -> tuple[str, str] | None:
        """The first and last id to read next, as XRANGE takes them; None when there is no more.

        The last applied entry is read again: if it has changed, the history is another one.
        """
        if self._is_exhausted or self._head in (self._applied_id, self._read_up_to):
            return None
        last = format_id(self._head)
        if self._read_up_to is not None:
            return f"({format_id(self._read_up_to)}", last
        return ("-" if self._applied_id == START else format_id(self._applied_id)), last

    def apply_page(self, page: Page) -> None:
        """Apply the entries of `next_range`, or the first ones of them."""
        if self._read_up_to is None and self._applied_id != START:
            if not self._is_same_history(page):
                self.rewind()
                return
            self._read_up_to, page = self._applied_id, page[1:]
            if not page:
                return
        self._is_exhausted = not page
        for entry_id, fields in page:
            self._apply_entry(parse_id(entry_id), fields.get(b"m", b""))

    def _is_same_history(self, page: Page) -> bool:
        if not page:
            return False
        first_id, fields = page[0]
        first = (parse_id(first_id), fields.get(b"m", b""))
        return first == (self._applied_id, self._applied_message)

    def _apply_entry(self, entry_id: StreamId, message: bytes) -> None:
        """Apply an entry, and advance past it if it and all before it were verified.

        An unverified entry may hide a revocation. The entries after it are applied, but the cursor
        stays before it until it is trimmed, its tokens have expired or its key is configured.
        """
        self._read_up_to = entry_id
        self._all_verified = self._apply(entry_id, message) and self._all_verified
        if self._all_verified:
            self._applied_id, self._applied_message = entry_id, message

    @property
    def position(self) -> StreamPosition:
        """The newest entry that was applied together with every entry before it."""
        return StreamPosition((self._epoch or b"").decode(), self._applied_id)

    @property
    def is_at_head(self) -> bool:
        """Return whether the head's own entry was applied, and every entry before it was verified.

        A stream that ends before its head has lost its tail since the head was read.
        """
        return self._all_verified and self._applied_id == self._head
