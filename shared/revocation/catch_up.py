"""Whether those who publish still have to tell what was revoked while Redis was out of reach."""

from collections.abc import Mapping
from math import inf
from typing import NamedTuple, Self

BEGUN = "begun"
"""The head's field that counts the rounds of all publishers, as each begins."""
TOLD = "told"
"""The newest round by whose beginning everything committed has been told."""
BEHIND = "behind"
"""The newest round that had begun when a publisher had something left to tell."""
SAID = "said"
"""How often publishers said that they are behind: one that lives says it again and again."""

SIGN_SECONDS = 0.5
DEAD_AFTER = 3.0


class Rounds(NamedTuple):
    """What the head tells of the publishers' rounds."""

    begun: int
    told: int
    behind: int
    said: int

    @classmethod
    def of(cls, head: Mapping[bytes, bytes]) -> Self:
        """Read them; nobody was ever behind where none has said so."""
        begun, told, said = (int(head.get(name.encode(), 0)) for name in (BEGUN, TOLD, SAID))
        return cls(begun, told, int(head.get(BEHIND.encode(), -1)), said)


class CatchUp:
    """What a follower knows of the publishers after an outage.

    What was revoked during it is in no log yet, so reaching the head proves nothing before it has
    been told. It has been once a round is through that began after our first look. Nor is there
    anything to wait for when `SIGN_SECONDS` after that look nobody is behind: who has missed Redis
    says so sooner. Publishers of whom nothing new is seen for `DEAD_AFTER` have died, and what the
    log tells is all there is.

    A start is no outage: only who has said so already is waited for. Who has lost nothing waits for
    nobody, as what is told late is heard as it is told.
    """

    def __init__(self) -> None:
        """Nothing was lost yet."""
        self._lost = False
        self._settled = False
        self._quiet_from = self._dead_from = -inf
        self._first: int | None = None
        self._seen: Rounds | None = None

    def on_disconnect(self) -> None:
        """Note that Redis was out of reach, perhaps for everybody."""
        self._lost = True

    def update_head(self, head: Mapping[bytes, bytes], asked_at: float, answered_at: float) -> bool:
        """Take the head and when it was asked for (monotonic); True when nothing is awaited."""
        if self._lost:
            self._lost = self._settled = False
            self._quiet_from = answered_at + SIGN_SECONDS
            self._first = self._seen = None
        rounds = Rounds.of(head)
        if not self._settled:
            self._settled = self._all_told(rounds, asked_at, answered_at)
        return self._settled

    def _all_told(self, rounds: Rounds, asked_at: float, answered_at: float) -> bool:
        if self._first is None or rounds.begun < self._first:  # Redis has lost the count
            self._first = rounds.begun
        if rounds != self._seen:
            self._seen, self._dead_from = rounds, answered_at + DEAD_AFTER
        if rounds.told > self._first or asked_at >= self._dead_from:
            return True
        return rounds.behind < rounds.told and asked_at >= self._quiet_from
