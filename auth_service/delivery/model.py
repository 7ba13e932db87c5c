"""A delivery: one message to one person, sealed while it waits."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Self

from auth_service.destination import Channel
from auth_service.keyring import Keyring

STREAM = "deliveries"
GROUP = "senders"
DEAD_LETTERS = "deliveries:dead"
LANGUAGES = "languages"
"""The parameter with the languages that the client prefers, comma-separated.

It is a parameter because a worker of the previous release takes no further field.
"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to render and send. `parameters` are the template's, and may be secret."""

    id: str
    channel: Channel
    to: str
    template: str
    parameters: dict[str, str]
    request_id: str

    def seal(self, keyring: Keyring) -> bytes:
        """Return the delivery encrypted, as the queue stores it."""
        plain = {name: getattr(self, name) for name in _FIELDS}  # `asdict` copies deeply
        return keyring.seal("delivery", json.dumps(plain).encode())

    @classmethod
    def unseal(cls, sealed: bytes, keyring: Keyring) -> Self:
        """Return the delivery that `seal` encrypted.

        Raises:
            SealBrokenError: none of our keys sealed it.
        """
        return cls(**json.loads(keyring.open("delivery", sealed)))


_FIELDS = tuple(one.name for one in fields(Delivery))


@dataclass(frozen=True, slots=True)
class Message:
    """A rendered delivery, as a provider takes it; `id` is the delivery's. `html`: mail only.

    `locale`: the language of `template`. `parameters`: the values in the text, for providers that
    fill registered templates themselves.
    """

    id: str
    channel: Channel
    to: str
    subject: str | None
    text: str
    html: str | None = None
    template: str = ""
    locale: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SealedDelivery:
    """A delivery in the queue. `not_after`: the time (ms) after which it is useless."""

    stream_id: str
    delivery_id: str
    not_after: int
    sealed: bytes
