"""A delivery: one message to one person, sealed while it waits."""

import json
from dataclasses import asdict, dataclass
from typing import Literal, Self

from auth_service.keyring import Keyring

STREAM = "deliveries"
GROUP = "senders"
Channel = Literal["sms"]


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
        return keyring.seal("delivery", json.dumps(asdict(self)).encode())

    @classmethod
    def opened(cls, sealed: bytes, keyring: Keyring) -> Self:
        """Return what `sealed` gave.

        Raises:
            SealBrokenError: none of our keys sealed it.
        """
        return cls(**json.loads(keyring.open("delivery", sealed)))


@dataclass(frozen=True, slots=True)
class Message:
    """A rendered delivery, as a provider takes it."""

    channel: Channel
    to: str
    subject: str | None
    text: str
