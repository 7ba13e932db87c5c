"""A delivery: one message to one person, sealed while it waits."""

import json
from dataclasses import dataclass, fields
from typing import Self

from auth_service.destination import Channel
from auth_service.keyring import Keyring

STREAM = "deliveries"
GROUP = "senders"
DEAD = "deliveries:dead"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is to be said to whom. `parameters` are the template's, and may be secret."""

    id: str
    channel: Channel
    to: str
    template: str
    parameters: dict[str, str]
    request_id: str

    def sealed(self, keyring: Keyring) -> bytes:
        """Return the delivery encrypted, as the queue holds it."""
        plain = {name: getattr(self, name) for name in _FIELDS}  # `asdict` copies deeply
        return keyring.seal("delivery", json.dumps(plain).encode())

    @classmethod
    def opened(cls, sealed: bytes, keyring: Keyring) -> Self:
        """Return what `sealed` gave.

        Raises:
            SealBrokenError: none of our keys sealed it.
        """
        return cls(**json.loads(keyring.open("delivery", sealed)))


_FIELDS = tuple(field.name for field in fields(Delivery))


@dataclass(frozen=True, slots=True)
class Message:
    """A rendered delivery, as a provider takes it; `id` is the delivery's. `html`: mail only."""

    id: str
    channel: Channel
    to: str
    subject: str | None
    text: str
    html: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A delivery in the queue: its place there, and the moment (ms) after which it is worthless."""

    place: str
    id: str
    not_after: int
    sealed: bytes
