"""The token verifier and the revocation cache as one object, for any asyncio service."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack

import structlog

from shared.background import run_periodically
from shared.clock import Clock, SystemClock
from shared.jwks import JwksFile
from shared.logs import describe_error
from shared.revocation.cache import RevocationCache
from shared.revocation.subscriber import open_revocation_cache
from shared.tokens import Claims, TokenVerifier

JWKS_CHECK_SECONDS = 1
READY_POLL_SECONDS = 0.05
log = structlog.get_logger()


@dataclass(slots=True)
class TokenAuthenticator:
    """Authenticates access tokens; no network, no database, no lock."""

    verifier: TokenVerifier
    cache: RevocationCache

    def authenticate(self, token: str) -> Claims:
        """Return the token's claims; cheap enough to be repeated before a change is stored.

        Raises:
            TokenInvalid: it is forged, malformed, for another audience or expired.
            TokenRevoked: it was revoked.
            ServiceUnavailable: the cache is stale, so the token may have been revoked.
        """
        claims = self.verifier.verify(token)
        self.cache.check(claims)
        return claims

    @property
    def ready(self) -> bool:
        """Return whether tokens can be authenticated: the keys and the revocations are known."""
        return self.verifier.has_keys and self.cache.ready

    async def wait_until_ready(self) -> None:
        """Return once it is ready."""
        while not self.ready:  # noqa: ASYNC110 - keys and cache are filled by two separate tasks
            await asyncio.sleep(READY_POLL_SECONDS)


class AuthenticatorOptions(TypedDict, total=False):
    """The optional arguments of `open_authenticator`, the last two of which are its cache's."""

    clock: Clock
    max_staleness: float
    fail_open: bool


@contextlib.asynccontextmanager
async def open_authenticator(
    *,
    issuer: str,
    audience: str,
    jwks_file: Path | str,
    redis_url: str,
    revocation_keys: Sequence[bytes],
    **options: Unpack[AuthenticatorOptions],
) -> AsyncIterator[TokenAuthenticator]:
    """Keep an authenticator up to date inside the block.

    It opens without keys and without Redis: `ready` becomes true later. The key file is read again
    when it changes; an invalid one leaves the last valid set in force.
    """
    cache_options: dict[str, Any] = {**options}
    clock = cache_options.pop("clock", None) or SystemClock()
    verifier = TokenVerifier(issuer, audience, clock)
    reloader = _JwksReloader(JwksFile(Path(jwks_file)), verifier)
    await reloader.reload()
    async with (
        open_revocation_cache(redis_url, revocation_keys, clock, **cache_options) as cache,
        run_periodically("keys", reloader.reload, pause=JWKS_CHECK_SECONDS),
    ):
        yield TokenAuthenticator(verifier, cache)


@dataclass(slots=True)
class _JwksReloader:
    """Gives a verifier the keys of a file, which may be created after the service starts."""

    file: JwksFile
    verifier: TokenVerifier

    async def reload(self) -> None:
        """Use the file's keys if they changed; log the same error only once."""
        try:
            keys = await asyncio.to_thread(self.file.read_if_changed)
        except (OSError, ValueError) as error:
            cause = describe_error(error)
            if self.verifier.keys_error != cause:
                self.verifier.keys_error = cause
                log.warning("keys.unreadable", error=cause)
            return
        self.verifier.keys_error = ""
        if keys is not None:
            self.verifier.set_keys(keys)
            log.info("keys.loaded", count=len(keys))
