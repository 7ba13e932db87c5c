"""The mirror: one process' copy of everything that is revoked, asked on every request."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from math import inf

from shared.clock import Clock
from shared.errors import ServiceUnavailable, TokenRevoked
from shared.revocation.message import Revocation
from shared.tokens import Claims

_UUID = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
KEEP_AFTER_EXPIRY = timedelta(minutes=15)
"""Entries outlive the tokens they kill, so that a clock stepping back revives none."""


class Mirror:
    """Says no to revoked tokens by three dictionary look-ups, and to all when out of touch.

    `max_staleness`: seconds without a confirmed look at the log after which nothing is sure;
    measured on the monotonic clock. With `fail_open` the last known state is used instead.
    """

    def __init__(self, clock: Clock, *, max_staleness: float = 3, fail_open: bool = False) -> None:
        """Start empty and out of touch."""
        self._clock = clock
        self._max_staleness = max_staleness
        self._fail_open = fail_open
        self._in_touch_as_of = -inf
        self._sessions: dict[int | str, datetime] = {}
        self._tokens: dict[str, datetime] = {}
        self._users: dict[int | str, tuple[int, datetime]] = {}
        self.lag = 0.0
        """Seconds from the newest message's publication to its being applied, by two machines'
        clocks."""

    def check(self, claims: Claims) -> None:
        """Pass a token that is not revoked.

        Raises:
            TokenRevoked: its session, itself, or its user's generation is dead.
            ServiceUnavailable: out of touch, so nobody can say.
        """
        if claims.sid.int in self._sessions or claims.jti in self._tokens:
            raise TokenRevoked
        user = self._users.get(claims.sub.int)
        if user is not None and claims.gen < user[0]:
            raise TokenRevoked
        stale = self._clock.monotonic() - self._in_touch_as_of > self._max_staleness
        if stale and not self._fail_open:
            raise ServiceUnavailable(1, "Revocations cannot be checked right now")

    @property
    def staleness(self) -> float:
        """Seconds since the state that is held was the newest there is; infinite before that."""
        return self._clock.monotonic() - self._in_touch_as_of

    @property
    def in_touch(self) -> bool:
        """Whether every revocation older than the bound has been applied."""
        return self.staleness <= self._max_staleness

    @property
    def ready(self) -> bool:
        """Whether tokens may be judged: in touch, or, failing open, after one complete read."""
        return self.in_touch or (self._fail_open and self._in_touch_as_of > -inf)

    def confirm(self, asked_at: float) -> None:
        """Note that everything up to the head asked for at `asked_at` (monotonic) is applied."""
        self._in_touch_as_of = max(self._in_touch_as_of, asked_at)

    def add(self, revocations: Iterable[Revocation]) -> None:
        """Apply revocations in any order, any number of times; nothing is ever taken back."""
        for revocation in revocations:
            until = revocation.expires_at + KEEP_AFTER_EXPIRY
            if revocation.kind == "token":
                self._tokens[revocation.id] = max(self._tokens.get(revocation.id, until), until)
                continue
            key = _key(revocation.id)
            if revocation.kind == "session":
                self._sessions[key] = max(self._sessions.get(key, until), until)
            else:
                generation, kept = self._users.get(key, (0, until))
                highest = max(generation, revocation.generation or 0)
                self._users[key] = (highest, max(kept, until))

    def forget_expired(self) -> None:
        """Drop what no unexpired token can match any more."""
        now = self._clock.now()
        self._sessions = {name: until for name, until in self._sessions.items() if until > now}
        self._tokens = {name: until for name, until in self._tokens.items() if until > now}
        self._users = {name: held for name, held in self._users.items() if held[1] > now}

    def __len__(self) -> int:
        """Count what is held."""
        return len(self._sessions) + len(self._tokens) + len(self._users)


def _key(name: str) -> int | str:
    """Return a UUID's number, which is found thirty times as fast as its text; else the text."""
    if _UUID.fullmatch(name) is None:
        return name
    return int(name.replace("-", ""), 16)
