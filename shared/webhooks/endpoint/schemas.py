"""Requests and responses of the webhooks' routes."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.paging import Page
from shared.text import clean_line
from shared.validation import PartialUpdate, cleaned
from shared.webhooks.endpoint.model import (
    ALL_EVENTS,
    Endpoint,
    EndpointDraft,
    EndpointStatus,
    EndpointUpdate,
)

MAX_URL, MAX_DESCRIPTION, MAX_EVENTS = 2048, 200, 20

E = TypeVar("E", bound=str)
"""The types of a service's events; of an endpoint's also `*`.

A union with `*` would answer a wrong type with an error for each member.
"""

Url = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_URL),
    cleaned(clean_line),
    Field(description="a receiver on the public internet, https; a redirect is not followed"),
]
Events = Annotated[
    list[E],
    Field(min_length=1, max_length=MAX_EVENTS, description='types of events, or `["*"]` for all'),
]
Description = Annotated[str, StringConstraints(max_length=MAX_DESCRIPTION), cleaned(clean_line)]
Secret = Annotated[
    str, Field(description="`whsec_…`, signs webhooks (Standard Webhooks); shown here only")
]


class EndpointBody(BaseModel, Generic[E]):
    """A new endpoint."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: Url
    events: Events[E]
    description: Description = ""

    def to_draft(self) -> EndpointDraft:
        """Return what the owner chooses."""
        return EndpointDraft(self.url, _distinct(self.events), self.description)


class EndpointChange(PartialUpdate, Generic[E]):
    """The fields to change, at least one."""

    url: Url | None = None
    events: Events[E] | None = None
    description: Description | None = None
    status: EndpointStatus | None = None

    def to_update(self) -> EndpointUpdate:
        """Return the change."""
        events = _distinct(self.events) if self.events else None
        return EndpointUpdate(self.url, events, self.description, self.status)


class WebhookResponse(BaseModel):
    """An endpoint; a `disabled` one gets tests alone.

    One that answers 410, or accepts nothing for `WEBHOOK_DISABLE_AFTER` (5 days), is disabled.
    """

    id: UUID
    url: str
    events: list[str]
    description: str
    status: EndpointStatus
    failing_since: datetime | None = Field(
        description="since when it has accepted no event; null once it accepts one, is enabled "
        "again or gets another `url`"
    )
    created_at: datetime

    @classmethod
    def of(cls, endpoint: Endpoint) -> "WebhookResponse":
        """Return the answer for one endpoint."""
        return cls(**asdict(endpoint))


class WebhookCreatedResponse(WebhookResponse):
    """A new endpoint with its secret."""

    secret: Secret


class SecretResponse(BaseModel):
    """A new secret; the one before signs too for 24 hours."""

    secret: Secret


class WebhookPage(Page[WebhookResponse]):
    """One page of endpoints, the newest first; `next_cursor` is null on the last one."""


def _distinct(events: Sequence[str]) -> tuple[str, ...]:
    """Return the types once each; all of them include every other."""
    return (ALL_EVENTS,) if ALL_EVENTS in events else tuple(dict.fromkeys(events))
