"""Admission: the verifier and the mirror as one object, for any asyncio service."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import structlog

from shared.background import run_periodically
from shared.clock import Clock, SystemClock
from shared.jwks import JwksFile
from shared.revocation.follower import following
from shared.revocation.mirror import Mirror
from shared.tokens import Claims, TokenVerifier

KEYS_SECONDS = 1
READY_SECONDS = 0.05
log = structlog.get_logger()


class Admission:
    """Says whose a token is, and whether it still counts; no network, no database, no lock."""

    def __init__(self, verifier: TokenVerifier, mirror: Mirror) -> None:
        """Use both as they are kept up to date by others."""
        self.verifier = verifier
        self.mirror = mirror

    def admit(self, token: str) -> Claims:
        """Return whose the token is; cheap enough to be asked again before a change is stored.

        Raises:
            TokenInvalid: it is forged, malformed, for somebody else or expired.
            TokenRevoked: it was cut off.
            ServiceUnavailable: what is revoked is not known right now.
        """
        claims = self.verifier.verify(token)
        self.mirror.check(claims)
        return claims

    @property
    def ready(self) -> bool:
        """Whether tokens can be judged: the keys and what is revoked are known."""
        return self.verifier.ready and self.mirror.ready

    async def wait(self) -> None:
        """Return once it is ready."""
        while not self.ready:  # noqa: ASYNC110 - keys and touch come from two loops of their own
            await asyncio.sleep(READY_SECONDS)


@contextlib.asynccontextmanager
async def admitting(
    *,
    issuer: str,
    audience: str,
    jwks_file: Path | str,
    redis_url: str,
    revocation_keys: Sequence[bytes],
    clock: Clock | None = None,
    **mirror_options: Any,
) -> AsyncIterator[Admission]:
    """Keep an `Admission` up to date inside the block; `mirror_options` are `Mirror`'s.

    Nothing has to be there at the start: `ready` tells. The key file is read again when it
    changes; a broken one leaves the last good set in force.
    """
    now = clock or SystemClock()
    verifier = TokenVerifier(issuer, audience, now)
    watch = _KeyWatch(JwksFile(Path(jwks_file)), verifier)
    await watch.look()
    async with (
        following(redis_url, revocation_keys, now, **mirror_options) as mirror,
        run_periodically("keys", watch.look, pause=KEYS_SECONDS),
    ):
        yield Admission(verifier, mirror)


class _KeyWatch:
    """Keeps a verifier on a file's keys; the file may come later than the service."""

    def __init__(self, file: JwksFile, verifier: TokenVerifier) -> None:
        """Look at nothing yet."""
        self._file = file
        self._verifier = verifier
        self._trouble = ""

    async def look(self) -> None:
        """Take changed keys over; say once, not every second, what is wrong with the file."""
        try:
            keys = await asyncio.to_thread(self._file.read_if_changed)
        except (OSError, ValueError) as wrong:
            if self._trouble != repr(wrong):
                self._trouble = repr(wrong)
                log.warning("keys.unreadable", error=self._trouble)
            return
        self._trouble = ""
        if keys is not None:
            self._verifier.use(keys)
            log.info("keys.loaded", count=len(keys))
