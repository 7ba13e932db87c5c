"""The one place that draws random bytes, and the ids made of them."""

import secrets
from typing import Protocol
from uuid import UUID

from shared.clock import Clock, milliseconds


class Entropy(Protocol):
    """Draws unpredictable values; passed in, so that a test can choose them."""

    def bytes(self, count: int) -> bytes:
        """Return `count` unpredictable bytes."""

    def below(self, bound: int) -> int:
        """Return a whole number in `0 <= n < bound`, every value equally likely."""


class SystemEntropy:
    """The operating system's generator."""

    def bytes(self, count: int) -> bytes:
        """Return `count` unpredictable bytes."""
        return secrets.token_bytes(count)

    def below(self, bound: int) -> int:
        """Return a whole number in `0 <= n < bound`, every value equally likely."""
        return secrets.randbelow(bound)


def new_id(clock: Clock, entropy: Entropy) -> UUID:
    """Return a UUIDv7: 48 bits of Unix milliseconds, then 74 random bits.

    Made here because PostgreSQL 17 has no `uuidv7()`. Source: RFC 9562 §5.7.
    """
    value = (milliseconds(clock.now()) << 80) | int.from_bytes(entropy.bytes(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)
