"""Signed links: the bearer may read one variant of one creative until the link expires."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.errors import Forbidden

MAX_LINK_SECONDS = 7 * 24 * 3600
ROLLOUT_SECONDS = 24 * 3600
_LABEL = b"cheershare/media-link"
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Link:
    """A link to one variant of a creative; `expires` is in seconds of Unix time."""

    creative_id: UUID
    variant: str
    expires: int


@dataclass(frozen=True, slots=True)
class PreviousKey:
    """A key that signed links before `MEDIA_SECRET_KEYS` did; it verifies, and never signs.

    It is derived from `REVOCATION_KEY`, which other services hold. So it accepts no link that
    expires after `valid_until`, in seconds of Unix time: our last link with it expires by then.
    """

    valid_until: int
    key: bytes

    @classmethod
    def read(cls, text: str) -> "PreviousKey":
        """Return the key that `__str__` wrote."""
        until, _, key = text.partition(":")
        return cls(int(until), base64.urlsafe_b64decode(f"{key}="))

    def __str__(self) -> str:
        return f"{self.valid_until}:{base64.urlsafe_b64encode(self.key).decode().rstrip('=')}"


def derive_previous_keys(revocation_keys: Sequence[bytes], now: datetime) -> list[PreviousKey]:
    """Return what verifies the links that the release before made with these keys.

    A replica of that release may make links for a day more, until it is replaced.
    """
    until = int(now.timestamp()) + MAX_LINK_SECONDS + ROLLOUT_SECONDS
    return [PreviousKey(until, _derive_key(key)) for key in revocation_keys]


class LinkSigner:
    """Signs links and checks them (HMAC-SHA-256 under keys derived by HKDF, RFC 5869).

    The first secret signs, every one verifies. Nothing is stored: a link ends when it expires,
    when its creative is deleted, or when the secret that signed it is dropped.
    """

    def __init__(self, secrets: Sequence[bytes], previous: Sequence[PreviousKey] = ()) -> None:
        """Derive the keys; the `previous` ones are derived already."""
        self._keys = [_derive_key(secret) for secret in secrets]
        self._previous = previous

    def sign(self, link: Link) -> str:
        """Return our signature of the link, which is safe within a URL."""
        return _sign(self._keys[0], link)

    def verify(self, link: Link, signature: str, now: datetime) -> None:
        """Accept a link with our signature that has not expired.

        Raises:
            Forbidden: it is invalid or has expired.
        """
        given = signature.encode()
        keys = [
            *self._keys,
            *(old.key for old in self._previous if link.expires <= old.valid_until),
        ]
        if not any(hmac.compare_digest(_sign(key, link).encode(), given) for key in keys):
            raise Forbidden("the link is none of ours")
        if link.expires <= now.timestamp():
            raise Forbidden("the link has expired")


def _sign(key: bytes, link: Link) -> str:
    text = f"{link.creative_id}\n{link.variant}\n{link.expires}".encode()
    return base64.urlsafe_b64encode(hmac.digest(key, text, hashlib.sha256)).decode().rstrip("=")


def _derive_key(secret: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_LABEL).derive(secret)
