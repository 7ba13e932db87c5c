"""Opaque tokens: a prefix, a secret and a checksum; only their SHA-256 is stored."""

import hashlib
import zlib
from typing import Literal

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SECRET_BYTES = 32
SECRET_LENGTH = 43
CHECKSUM_LENGTH = 6
Prefix = Literal["chr_", "cht_", "chd_", "chf_"]


def _base62(value: int, length: int) -> str:
    digits = []
    for _ in range(length):
        value, digit = divmod(value, 62)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def encode_token(prefix: Prefix, secret: bytes) -> str:
    """Return `prefix`, the 32 bytes and a CRC-32 of both in base 62: leak scanners find it."""
    body = prefix + _base62(int.from_bytes(secret), SECRET_LENGTH)
    return body + _base62(zlib.crc32(body.encode()), CHECKSUM_LENGTH)


def has_valid_checksum(prefix: Prefix, token: str) -> bool:
    """Return whether `token` has our form, so that a typing error costs no look-up."""
    body, checksum = token[:-CHECKSUM_LENGTH], token[-CHECKSUM_LENGTH:]
    return (
        token.startswith(prefix)
        and token.isascii()
        and len(token) == len(prefix) + SECRET_LENGTH + CHECKSUM_LENGTH
        and _base62(zlib.crc32(body.encode()), CHECKSUM_LENGTH) == checksum
    )


def decode_token(prefix: Prefix, token: str) -> bytes | None:
    """Return the 32 bytes of the token; None for a token without our form."""
    digits = token[len(prefix) : -CHECKSUM_LENGTH]
    if not has_valid_checksum(prefix, token) or not set(digits) <= set(ALPHABET):
        return None
    value = 0
    for digit in digits:
        value = value * 62 + ALPHABET.index(digit)
    return value.to_bytes(SECRET_BYTES) if value < 1 << 8 * SECRET_BYTES else None


def hash_token(token: str) -> bytes:
    """Return the SHA-256 under which the token is stored."""
    return hashlib.sha256(token.encode()).digest()
