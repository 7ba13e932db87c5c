"""How far the log has been applied, and whether it still is the log that we knew."""

from collections.abc import Callable, Mapping, Sequence

StreamId = tuple[int, int]
Page = Sequence[tuple[bytes, Mapping[bytes, bytes]]]
START: StreamId = (0, 0)


def parse_id(text: bytes) -> StreamId:
    """Return a stream id as a pair that compares in the stream's order, which text does not."""
    milliseconds, _, sequence = text.partition(b"-")
    return int(milliseconds), int(sequence or 0)


class Position:
    """One follower's place in the log: it decides what to read, and asks nobody itself.

    A look goes: `face` the head; while `wanted` names a range of ids, read it and `take` the page;
    then `complete` says whether everything up to that head has been applied.
    """

    def __init__(self, apply: Callable[[StreamId, bytes], bool]) -> None:
        """Hand each message to `apply`, which tells whether it was understood."""
        self._apply = apply
        self._epoch: bytes | None = None
        self._goal = START
        self._read: StreamId | None = None
        self._ended = False
        self._understood = True
        self.restart()

    def restart(self) -> None:
        """Begin at the log's first entry; what was applied stays applied."""
        self._place, self._anchor = START, b""
        self._read = None

    def face(self, head: Mapping[bytes, bytes]) -> bool:
        """Take the head as Redis answered it; False without an epoch, when nothing can be said.

        Another epoch, or a head lower than our place, is another history: it is read from its
        start.
        """
        epoch = head.get(b"epoch")
        if epoch is None:
            return False
        self._goal = parse_id(head.get(b"last", b"0"))
        if epoch != self._epoch or self._goal < self._place:
            self.restart()
        self._epoch = epoch
        self._read, self._ended, self._understood = None, False, True
        return True

    @property
    def wanted(self) -> tuple[str, str] | None:
        """The ids to read next, from and to as XRANGE takes them; None when the look is over.

        The entry at our place is read again, to see that the history there is still the same.
        """
        if self._ended or self._goal in (self._place, self._read):
            return None
        last = "{}-{}".format(*self._goal)
        if self._read is not None:
            return "({}-{}".format(*self._read), last
        return ("-" if self._place == START else "{}-{}".format(*self._place)), last

    def take(self, page: Page) -> None:
        """Apply the entries of the wanted range, or as many from its beginning as were read."""
        if self._read is None and self._place != START:
            if not self._continues(page):
                self.restart()
                return
            self._read, page = self._place, page[1:]
            if not page:
                return
        self._ended = not page
        for entry_id, fields in page:
            self._take_entry(parse_id(entry_id), fields.get(b"m", b""))

    def _continues(self, page: Page) -> bool:
        if not page:
            return False
        return (parse_id(page[0][0]), page[0][1].get(b"m", b"")) == (self._place, self._anchor)

    def _take_entry(self, entry: StreamId, message: bytes) -> None:
        """Apply an entry.

        One that nobody understands may hide a revocation: what follows it is applied, but we stay
        before it, out of touch, until it is trimmed or outlived or a key that verifies it is set.
        """
        self._read = entry
        self._understood = self._apply(entry, message) and self._understood
        if self._understood:
            self._place, self._anchor = entry, message

    @property
    def complete(self) -> bool:
        """Whether the head's own entry was reached, and all before it understood.

        A log that ends earlier has lost its tail since the head was read.
        """
        return self._understood and self._place == self._goal
