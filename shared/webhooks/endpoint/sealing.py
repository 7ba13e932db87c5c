"""Signing secrets of endpoints, encrypted for the database."""

from collections.abc import Sequence
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.entropy import Entropy

LABEL = b"cheershare/webhook-secret"
_KEY_BYTES, _NONCE_BYTES = 32, 12


class SecretSealer:
    """Encrypts secrets under keys derived from a service's secrets (AES-256-GCM, HKDF-SHA-256).

    The first key seals, every one opens. A sealed secret belongs to its endpoint: it opens in no
    other row.
    """

    def __init__(self, secrets: Sequence[bytes], entropy: Entropy, label: bytes = LABEL) -> None:
        """Derive the keys, in their order; `label` sets them apart from all other keys."""
        self._ciphers = [AESGCM(_derive_key(secret, label)) for secret in secrets]
        self._entropy = entropy

    def seal(self, endpoint_id: UUID, secret: str) -> bytes:
        """Return the nonce and the encrypted secret."""
        nonce = self._entropy.bytes(_NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, secret.encode(), endpoint_id.bytes)

    def open(self, endpoint_id: UUID, sealed: bytes) -> str:
        """Return the secret.

        Raises:
            ValueError: none of the keys opens it.
        """
        for cipher in self._ciphers:
            opened = _try_open(cipher, endpoint_id, sealed)
            if opened is not None:
                return opened
        raise ValueError("a webhook's secret opens with none of SECRET_KEYS or MEDIA_SECRET_KEYS")

    def reseal(self, endpoint_id: UUID, sealed: bytes) -> bytes | None:
        """Return the secret sealed with the first key, None if it already is."""
        if _try_open(self._ciphers[0], endpoint_id, sealed) is not None:
            return None
        return self.seal(endpoint_id, self.open(endpoint_id, sealed))


def _try_open(cipher: AESGCM, endpoint_id: UUID, sealed: bytes) -> str | None:
    nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return cipher.decrypt(nonce, body, endpoint_id.bytes).decode()
    except (InvalidTag, ValueError):
        return None


def _derive_key(secret: bytes, label: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=label).derive(secret)
