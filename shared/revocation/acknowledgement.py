"""What a subscriber tells the publishers: how much of the stream it has applied."""

import re
from collections.abc import Sequence
from typing import NamedTuple, Self

from shared.revocation.cache import MAX_STALENESS_SECONDS
from shared.revocation.message import MAX_BYTES, UnverifiedMessageError, is_signed, sign
from shared.revocation.stream_cursor import StreamPosition, format_id

ACKNOWLEDGEMENT_CHANNEL = "revocations:applied"
_SIGNED = re.compile(
    rb'\{"mac":"(?P<mac>[\da-f]{64})",(?P<body>'
    rb'"applied":"(?P<time>\d{1,15})-(?P<sequence>\d{1,15})",'
    rb'"epoch":"(?P<epoch>[^"\\]*(?:\\.[^"\\]*)*)",'
    rb'"max_staleness":(?P<staleness>null|\d{1,2}(?:\.\d{1,20})?(?:e-\d\d)?),'
    rb'"subscriber":"(?P<name>[\w.-]{1,100})"\})'
)
"""Canonical JSON: parsed as such it would cost three times as much, 50 times for each sign-out."""


class Acknowledgement(NamedTuple):
    """A subscriber has applied every entry of an epoch's stream up to a position.

    `max_staleness`: for how many seconds from now it may honour tokens without knowing more. 0: it
    honours none any more. None: it honours them however little it knows (`fail_open`).
    """

    subscriber: str
    applied: StreamPosition
    max_staleness: float | None

    def encode(self, key: bytes) -> str:
        """Return the signed message."""
        epoch, entry = self.applied
        body = {
            "subscriber": self.subscriber,
            "epoch": epoch,
            "applied": format_id(entry),
            "max_staleness": self.max_staleness,
        }
        return sign(body, key)

    @classmethod
    def decode(cls, text: bytes, keys: Sequence[bytes]) -> Self:
        """Return what a message says; any of `keys` may have signed it.

        Raises:
            UnverifiedMessageError: none has, or the format is another.
        """
        said = _SIGNED.fullmatch(text) if len(text) <= MAX_BYTES else None
        if said is None or not is_signed(said["mac"], b"{" + said["body"], keys):
            raise UnverifiedMessageError
        staleness = None if said["staleness"] == b"null" else float(said["staleness"])
        if staleness is not None and staleness > MAX_STALENESS_SECONDS:
            raise UnverifiedMessageError
        # An epoch with escaped characters is none of ours: no entry of ours is covered then.
        epoch = said["epoch"].decode(errors="replace")
        applied = StreamPosition(epoch, (int(said["time"]), int(said["sequence"])))
        return cls(said["name"].decode(), applied, staleness)
