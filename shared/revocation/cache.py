"""One process' copy of every revocation, checked on every request."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from math import inf

from shared.clock import Clock
from shared.errors import ServiceUnavailable, TokenRevoked
from shared.revocation.message import Revocation
from shared.tokens import Claims

_UUID = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
MAX_STALENESS_SECONDS = 25
"""A frozen process holds sign-outs up for as long as its cache may be stale, once. That ends before
the time that a request may take."""
KEEP_AFTER_EXPIRY = timedelta(minutes=15)
"""Entries outlive the tokens they revoke, so that a clock stepping back revives none."""


class RevocationCache:
    """Refuses revoked tokens by three dictionary look-ups, and every token once it is stale.

    `max_staleness`: seconds on the monotonic clock for which the last complete read of the stream
    counts. With `fail_open` a stale cache goes on answering from its last state.
    """

    def __init__(self, clock: Clock, *, max_staleness: float = 3, fail_open: bool = False) -> None:
        if not 0 < max_staleness <= MAX_STALENESS_SECONDS:
            raise ValueError(f"max_staleness is above 0 and at most {MAX_STALENESS_SECONDS}")
        self._clock = clock
        self._max_staleness = max_staleness
        self._fail_open = fail_open
        self._fresh_as_of = -inf
        self._sessions: dict[int | str, datetime] = {}
        self._tokens: dict[str, datetime] = {}
        self._users: dict[int | str, tuple[int, datetime]] = {}
        self.lag = 0.0
        """Seconds between publication and application of the newest message, by two machines'
        clocks."""
        self.obstacle = "they have not been read yet"
        """What kept the last reading from being complete."""

    def check(self, claims: Claims) -> None:
        """Return if the token is not revoked.

        Raises:
            TokenRevoked: it, its session or its user's generation was revoked.
            ServiceUnavailable: the cache is stale, so the token may have been revoked.
        """
        if claims.sid.int in self._sessions or claims.jti in self._tokens:
            raise TokenRevoked
        user = self._users.get(claims.sub.int)
        if user is not None and claims.gen < user[0]:
            raise TokenRevoked
        is_stale = self._clock.monotonic() - self._fresh_as_of > self._max_staleness
        if is_stale and not self._fail_open:
            raise ServiceUnavailable(1, "Revocations cannot be checked right now")

    @property
    def honours_for(self) -> float | None:
        """Seconds for which it honours tokens without news; None with `fail_open`."""
        return None if self._fail_open else self._max_staleness

    def stop(self) -> None:
        """Honour no token any more, until it is marked fresh again."""
        self._fresh_as_of, self._fail_open = -inf, False

    @property
    def staleness(self) -> float:
        """Seconds since the cache was known to be complete; infinite before the first time."""
        return self._clock.monotonic() - self._fresh_as_of

    @property
    def is_fresh(self) -> bool:
        """Return whether every revocation older than `max_staleness` has been applied."""
        return self.staleness <= self._max_staleness

    @property
    def ready(self) -> bool:
        """Return whether tokens can be checked: fresh, or with `fail_open` once complete."""
        return self.is_fresh or (self._fail_open and self._fresh_as_of > -inf)

    def explain_staleness(self) -> str:
        """Return for how long it has been stale, and why."""
        known = f"{self.staleness:.0f} s ago" if self.staleness < inf else "never"
        return f"all revocations were last known {known}: {self.obstacle}"

    def mark_fresh(self, as_of: float) -> None:
        """Record that everything published before `as_of` (monotonic) has been applied."""
        self._fresh_as_of = max(self._fresh_as_of, as_of)

    def add(self, revocations: Iterable[Revocation]) -> None:
        """Apply revocations in any order, any number of times; none is ever undone."""
        for revocation in revocations:
            until = revocation.expires_at + KEEP_AFTER_EXPIRY
            if revocation.kind == "token":
                self._tokens[revocation.id] = max(self._tokens.get(revocation.id, until), until)
                continue
            key = _lookup_key(revocation.id)
            if revocation.kind == "session":
                self._sessions[key] = max(self._sessions.get(key, until), until)
            else:
                generation, kept_until = self._users.get(key, (0, until))
                highest = max(generation, revocation.generation or 0)
                self._users[key] = (highest, max(kept_until, until))

    def remove_expired(self) -> None:
        """Drop the entries that no unexpired token can match any more."""
        now = self._clock.now()
        self._sessions = {key: until for key, until in self._sessions.items() if until > now}
        self._tokens = {jti: until for jti, until in self._tokens.items() if until > now}
        self._users = {key: entry for key, entry in self._users.items() if entry[1] > now}

    def __len__(self) -> int:
        return len(self._sessions) + len(self._tokens) + len(self._users)


def _lookup_key(text: str) -> int | str:
    """Return a UUID as a number, which is found thirty times as fast as text; other text as is."""
    if _UUID.fullmatch(text) is None:
        return text
    return int(text.replace("-", ""), 16)
