"""Keys derived from `SECRET_KEYS`, one for each purpose.

The first one signs and seals, every one verifies and opens, so that a rotation signs nobody out.
"""

import hmac
from collections.abc import Sequence
from typing import Literal, get_args

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.entropy import Entropy

NONCE_BYTES = 12
Label = Literal["otp", "refresh", "delivery", "csrf", "device", "work", "work_key", "totp"]
LABELS: tuple[Label, ...] = get_args(Label)


class SealBrokenError(ValueError):
    """The text was sealed with none of our keys, or was altered."""


class Keyring:
    """Message authentication and sealing under labelled keys (HKDF-SHA-256, RFC 5869)."""

    def __init__(self, secrets: Sequence[bytes], entropy: Entropy) -> None:
        """Derive every label's keys from `secrets`, in their order."""
        self._entropy = entropy
        self._keys = {label: [_derive(secret, label) for secret in secrets] for label in LABELS}
        self._seals = {label: [AESGCM(key) for key in keys] for label, keys in self._keys.items()}

    def mac(self, label: Label, message: bytes) -> bytes:
        """Return HMAC-SHA-256 of `message` under the first key."""
        return hmac.digest(self._keys[label][0], message, "sha256")

    def macs(self, label: Label, message: bytes) -> list[bytes]:
        """Return HMAC-SHA-256 of `message` under every key, the first one first."""
        return [hmac.digest(key, message, "sha256") for key in self._keys[label]]

    def keys(self, label: Label) -> list[bytes]:
        """Return the label's keys, for a library that authenticates by itself."""
        return list(self._keys[label])

    def seal(self, label: Label, plain: bytes) -> bytes:
        """Return `plain` encrypted and authenticated (AES-256-GCM, random nonce first)."""
        nonce = self._entropy.bytes(NONCE_BYTES)
        return nonce + self._seals[label][0].encrypt(nonce, plain, label.encode())

    def is_sealed_by_newest(self, label: Label, sealed: bytes) -> bool:
        """Return whether the label's first key sealed the text."""
        try:
            self._seals[label][0].decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], label.encode()
            )
        except (InvalidTag, ValueError):
            return False
        return True

    def open(self, label: Label, sealed: bytes) -> bytes:
        """Return the plain text that was sealed under any of the label's keys.

        Raises:
            SealBrokenError: no key opens it.
        """
        nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        for seal in self._seals[label]:
            try:
                return seal.decrypt(nonce, body, label.encode())
            except (InvalidTag, ValueError):
                continue
        raise SealBrokenError


def _derive(secret: bytes, label: Label) -> bytes:
    info = f"cheershare/{label}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)
