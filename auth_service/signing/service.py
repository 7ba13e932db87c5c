"""The signer of access tokens."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import jwt
import structlog

from auth_service.signing.keystore import KeyStore, SigningKey, select_signing_key, to_jwks
from auth_service.user.model import User
from shared.clock import Clock, rfc3339
from shared.entropy import Entropy
from shared.errors import ServiceUnavailable
from shared.jwks import parse_jwks
from shared.logs import describe_error
from shared.tokens import TOKEN_TYPE, TokenVerifier

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a token: the user, the session with its end, and its authentication.

    `rotations`: `rot` of `Claims`. `csrf`: the CSRF token that a change needs when a cookie carries
    the token.
    """

    user: User
    session_id: UUID
    session_ends: datetime
    amr: tuple[str, ...]
    acr: str
    auth_time: datetime
    rotations: int
    csrf: str | None = None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed access token; `expires_in`: seconds."""

    text: str
    expires_in: int


@dataclass(eq=False, slots=True)
class Signer:
    """Signs with the newest active key; reloads the key directory when it changes.

    `verifier` gets the public keys; its issuer and audience are those of the tokens.
    `token_lifetime`: seconds, of a session that does not end before.
    """

    store: KeyStore
    verifier: TokenVerifier
    clock: Clock
    entropy: Entropy
    token_lifetime: int
    _stamp: int = field(init=False, default=-1)
    _keys: list[SigningKey] = field(init=False, default_factory=list)
    _last_error: str = field(init=False, default="")

    async def refresh(self) -> None:
        """Reload the keys when the directory changed; keep the last good ones when it is broken."""
        try:
            await asyncio.to_thread(self._reload)
            self._last_error = ""
        except (ValueError, KeyError, OSError) as wrong:
            # A parser's text may quote a key; the operating system's names the file.
            is_os_error = isinstance(wrong, OSError)
            self._last_error = describe_error(wrong) if is_os_error else type(wrong).__name__
            log.error("signing_keys.unreadable", error=self._last_error)

    def _reload(self) -> None:
        stamp = self.store.modified_at()
        if stamp == self._stamp:
            return
        keys = self.store.load()
        self.verifier.set_keys(parse_jwks(to_jwks(keys)))
        self._keys, self._stamp = keys, stamp
        if not self.ready:
            log.warning(
                "signing_key.not_yet_active",
                keys=len(keys),
                first_signs_from=self._first_signs_from,
            )

    @property
    def ready(self) -> bool:
        """Return whether there is a key to sign with."""
        return select_signing_key(self._keys, self.clock.now()) is not None

    def explain_missing_key(self) -> str:
        """Return why there is no key to sign with."""
        if self._last_error:
            return f"{self.store.folder} cannot be read: {self._last_error}"
        if not self._keys:
            return f"no key is in {self.store.folder}: python -m auth_service keys generate"
        return f"the first key signs from {self._first_signs_from}"

    @property
    def _first_signs_from(self) -> str | None:
        return rfc3339(self._keys[0].signs_from) if self._keys else None

    def require_key(self) -> SigningKey:
        """Return the key that signs now; called before any work that ends in a token.

        Raises:
            ServiceUnavailable: there is none.
        """
        key = select_signing_key(self._keys, self.clock.now())
        if key is None:
            raise ServiceUnavailable(5, "No signing key")
        return key

    def jwks(self) -> dict[str, Any]:
        """Return the public key set: current, next, and those of unexpired tokens."""
        return to_jwks(self._keys)

    def sign(self, subject: Subject) -> AccessToken:
        """Return an access token, which expires with its session. Source: RFC 9068 §2.

        Raises:
            ServiceUnavailable: there is no key.
        """
        key = self.require_key()
        now = int(self.clock.now().timestamp())
        # other services know when a session is revoked, and not when it ends by itself
        expires_at = min(now + self.token_lifetime, int(subject.session_ends.timestamp()))
        claims: dict[str, Any] = {
            "iss": self.verifier.issuer,
            "aud": self.verifier.audience,
            "sub": str(subject.user.id),
            "sid": str(subject.session_id),
            "jti": self.entropy.bytes(16).hex(),
            "iat": now,
            "nbf": now,
            "exp": expires_at,
            "amr": list(subject.amr),
            "acr": subject.acr,
            "auth_time": int(subject.auth_time.timestamp()),
            "roles": list(subject.user.roles),
            "gen": subject.user.generation,
            "rot": subject.rotations,
        }
        if subject.csrf is not None:
            claims["csrf"] = subject.csrf
        headers = {"kid": key.kid, "typ": TOKEN_TYPE}
        text = jwt.encode(claims, key.private, key.algorithm, headers)
        return AccessToken(text, expires_at - now)
