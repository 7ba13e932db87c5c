"""What a subscriber tells the publishers: how much of the stream it has applied."""

import re
from collections.abc import Sequence
from typing import NamedTuple, Self

from shared.revocation.cache import MAX_STALENESS_SECONDS
from shared.revocation.message import MAX_BYTES, UnverifiedMessageError, sign, verify
from shared.revocation.stream_cursor import StreamPosition, format_id, parse_id

ACKNOWLEDGEMENT_CHANNEL = "revocations:applied"
_NAME = re.compile(r"[\w.-]{1,100}", re.ASCII)
_ENTRY = re.compile(r"[0-9]{1,15}-[0-9]{1,15}", re.ASCII)


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
        if len(text) > MAX_BYTES:
            raise UnverifiedMessageError
        try:
            body = verify(text, keys)
            if not (_NAME.fullmatch(body["subscriber"]) and _ENTRY.fullmatch(body["applied"])):
                raise UnverifiedMessageError
            applied = StreamPosition(str(body["epoch"]), parse_id(body["applied"].encode()))
            staleness = None if body["max_staleness"] is None else float(body["max_staleness"])
            if staleness is not None and not 0 <= staleness <= MAX_STALENESS_SECONDS:
                raise UnverifiedMessageError
            return cls(body["subscriber"], applied, staleness)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise UnverifiedMessageError from error
