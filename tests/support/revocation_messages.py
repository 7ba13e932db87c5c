"""Signed revocation messages, as auth_service makes them."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.revocation.message import Revocation, encode_batches


def encode(
    revocations: Iterable[Revocation], *, epoch: str, at: datetime, keys: Sequence[bytes]
) -> str:
    """Return one message; ValueError when the revocations need several."""
    [(message, _)] = encode_batches(revocations, epoch=epoch, at=at, keys=keys)
    return message
