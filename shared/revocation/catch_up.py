"""Whether those who publish still have to tell what was revoked while Redis was out of reach."""

from collections.abc import Mapping
from math import inf

CATCH_UP = "catch_up"
"""The head's field in which a publisher says that it is behind, and later that it is done."""

BEHIND, DONE = "behind", "done"
SIGN_SECONDS = 0.5
LATE_SECONDS = 1.0
DEAD_AFTER = 3.0


class CatchUp:
    """What a follower knows of the publishers after an outage.

    What was revoked during it is in no log yet, so reaching the head proves nothing before they
    have caught up. They say so within `SIGN_SECONDS` of reaching Redis; when none does, none is
    running, and what the log tells is all there is. One that says nothing new for `DEAD_AFTER`
    has died. What the first look finds may be as old as the outage, and ends no waiting.

    Who has lost nothing waits for nobody: what is told late is heard as it is told.
    """

    def __init__(self) -> None:
        """Nothing was lost yet; who is behind is awaited, as after an outage."""
        self._sign = b""
        self._lost = False
        self._settled = False
        self._wait_until = -inf

    def lose(self) -> None:
        """Note that Redis was out of reach, perhaps for everybody."""
        self._lost = True

    def face(self, head: Mapping[bytes, bytes], asked_at: float, answered_at: float) -> bool:
        """Take the head and when it was asked for (monotonic); True when nothing is awaited."""
        sign, before = head.get(CATCH_UP.encode(), b""), self._sign
        self._sign = sign
        late = answered_at - asked_at > LATE_SECONDS
        first = self._lost or (self._settled and late)  # late for us may be an outage for others
        if first:
            self._lost = self._settled = False
            self._wait_until = answered_at + SIGN_SECONDS
        if not self._settled and sign != before:
            if sign.startswith(BEHIND.encode()):
                self._wait_until = answered_at + DEAD_AFTER
            elif not first:
                self._wait_until = -inf
        self._settled = self._settled or asked_at >= self._wait_until
        return self._settled
