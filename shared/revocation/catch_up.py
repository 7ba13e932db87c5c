"""Whether those who publish still have to tell what was revoked while Redis was out of reach."""

from collections.abc import Mapping
from math import inf

CATCH_UP = "catch_up"
"""The head's field in which a publisher says that it is behind, and later that it is done."""

BEHIND, DONE = "behind", "done"
SIGN_SECONDS = 0.5
DEAD_AFTER = 3.0


class CatchUp:
    """What a follower knows of the publishers after an outage.

    What was revoked during it is in no log yet, so reaching the head proves nothing before they
    have caught up. They say so within `SIGN_SECONDS` of reaching Redis; when none does, none is
    running, and what the log tells is all there is. One that says nothing new for `DEAD_AFTER`
    has died.
    """

    def __init__(self) -> None:
        """Nothing was lost yet."""
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
        # what somebody was still at when we looked last may have ended before this outage
        old = self._lost and (_behind(before) or not self._settled)
        self._sign = sign
        if sign != before and _behind(sign):
            self._wait_until = answered_at + DEAD_AFTER
        elif sign != before and not old:
            self._wait_until = -inf
        elif self._lost:
            self._wait_until = max(self._wait_until, answered_at + SIGN_SECONDS)
        self._lost = False
        self._settled = asked_at >= self._wait_until
        return self._settled


def _behind(sign: bytes) -> bool:
    return sign.startswith(BEHIND.encode())
