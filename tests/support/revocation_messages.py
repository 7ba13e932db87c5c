"""Signed revocation messages, as auth_service makes them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from shared.revocation.catch_up import COMPLETE
from shared.revocation.message import Revocation, encode_batches

NO_ROUND_AWAITED: dict[Any, Any] = {COMPLETE: 2**40}
"""In the head: each round that a subscriber waits for is complete."""


def encode(
    revocations: Iterable[Revocation], *, epoch: str, at: datetime, keys: Sequence[bytes]
) -> str:
    """Return one message; ValueError when the revocations need several."""
    [(message, _)] = encode_batches(revocations, epoch=epoch, at=at, keys=keys)
    return message
