"""How much of the stream a subscriber has applied, by looks and by messages together."""

import asyncio

from shared.revocation.stream_cursor import StreamPosition


class AppliedPosition:
    """The newest position up to which every entry of its epoch is applied.

    A complete look tells it. Messages of the same connection continue it in the look's epoch, until
    one of them cannot be verified: it may be an entry.
    """

    def __init__(self) -> None:
        self.newest = StreamPosition()
        self.moved = asyncio.Event()
        self._heard = StreamPosition()
        self._is_gapless = False
        self._missed_since_look = False

    def on_look_begun(self) -> None:
        """Count what is heard from now on: it may be newer than the head that is asked for."""
        self._heard, self._missed_since_look = StreamPosition(), False

    def on_look_complete(self, position: StreamPosition) -> None:
        """Move to a head up to which everything is applied, and to the messages heard meanwhile."""
        self._is_gapless = not self._missed_since_look
        self._move_to(self._heard if self._heard.covers(position) else position)

    def on_message(self, position: StreamPosition) -> None:
        """Move to the entry of a message that was applied, if every entry before it was, too."""
        if self._missed_since_look:
            return
        self._heard = position
        if self._is_gapless and position.covers(self.newest):
            self._move_to(position)

    def on_unverified_message(self) -> None:
        """Stay until a look that begins later is complete."""
        self._is_gapless, self._missed_since_look = False, True

    def _move_to(self, position: StreamPosition) -> None:
        if position != self.newest:
            self.newest = position
            self.moved.set()
