"""Signed links: whoever has one may read one variant of one creative until it expires."""

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

_LABEL = b"cheershare/media-link"
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Link:
    """What a link lets its bearer read; `expires` is in seconds of Unix time."""

    creative_id: UUID
    variant: str
    expires: int


@dataclass(frozen=True, slots=True)
class SignedLink:
    """A link with the signature that makes it ours."""

    link: Link
    signature: str


class Links:
    """Signs links and checks them (HMAC-SHA-256 under keys derived by HKDF, RFC 5869).

    The first secret signs, every one verifies. Nothing is stored: a link ends when it expires,
    when its creative is deleted, or when the secret that signed it is dropped.
    """

    def __init__(self, secrets: Sequence[bytes]) -> None:
        """Derive the keys."""
        self._keys = [_derive(secret) for secret in secrets]

    def sign(self, link: Link) -> SignedLink:
        """Return the link with a signature that is safe within a URL."""
        return SignedLink(link, _signature(self._keys[0], link))

    def require(self, signed: SignedLink, now: datetime) -> None:
        """Accept a link of ours that has not expired.

        Raises:
            Forbidden: it has, or it is none of ours.
        """
        link, given = signed.link, signed.signature.encode()
        if not any(hmac.compare_digest(_signature(k, link).encode(), given) for k in self._keys):
            raise Forbidden("the link is none of ours")
        if link.expires <= now.timestamp():
            raise Forbidden("the link has expired")


def _signature(key: bytes, link: Link) -> str:
    text = f"{link.creative_id}\n{link.variant}\n{link.expires}".encode()
    return base64.urlsafe_b64encode(hmac.digest(key, text, hashlib.sha256)).decode().rstrip("=")


def _derive(secret: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_LABEL).derive(secret)
