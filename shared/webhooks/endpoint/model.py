"""Endpoints of webhooks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.paging import encode_cursor

MAX_ENDPOINTS = 10
"""Of each owner."""

EndpointStatus = Literal["enabled", "disabled"]
ALL_EVENTS: Literal["*"] = "*"

EndpointAct = Literal[
    "webhook.created", "webhook.changed", "webhook.secret_rotated", "webhook.deleted"
]
"""What an owner may do to an endpoint."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address to which its owner has events sent; a column each.

    `user_id`: the owner, who need not be a user.
    `failing_since`: since when it has accepted no event; None once it accepts one.
    """

    id: UUID
    user_id: UUID
    url: str
    events: tuple[str, ...]
    description: str
    status: EndpointStatus
    failing_since: datetime | None
    created_at: datetime
    updated_at: datetime

    def cursor(self) -> str:
        """Return the cursor of the page after this endpoint."""
        return encode_cursor([str(self.id)])


@dataclass(frozen=True, slots=True)
class SealedSecrets:
    """The encrypted secrets of an endpoint."""

    id: UUID
    secret: bytes
    previous_secret: bytes | None


@dataclass(frozen=True, slots=True)
class EndpointDraft:
    """What the owner chooses of a new endpoint."""

    url: str
    events: tuple[str, ...]
    description: str


@dataclass(frozen=True, slots=True)
class EndpointUpdate:
    """The fields to change; None keeps."""

    url: str | None
    events: tuple[str, ...] | None
    description: str | None
    status: EndpointStatus | None
