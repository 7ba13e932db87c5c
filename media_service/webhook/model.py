"""Endpoints of webhooks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.paging import encode_cursor

MAX_ENDPOINTS = 10
"""Of each user."""

EndpointStatus = Literal["enabled", "disabled"]
ALL_EVENTS: Literal["*"] = "*"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a user wants to be told of events; a column each.

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
    """What a user chooses of a new endpoint."""

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
