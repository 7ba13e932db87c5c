"""Audit events and their origin."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Literal, Self
from uuid import UUID

from auth_service.event.model import EventType
from auth_service.settings.accounts import ContactDetail
from shared.clock import rfc3339
from shared.paging import encode_cursor

Outcome = Literal["success", "failure"]
EventName = Literal[
    "user.signed_up",
    "user.registered",
    "user.activated",
    "user.signed_in",
    "user.mfa_asked",
    "user.signed_out",
    "user.signed_out_everywhere",
    "user.stepped_up",
    "user.disabled",
    "user.enabled",
    "user.deleted",
    "user.exported",
    "session.revoked",
    "session.reuse_detected",
    "profile.changed",
    "contact.change_asked",
    "contact.changed",
    "password.changed",
    "password.reset_asked",
    "password.reset",
    "factor.added",
    "factor.renamed",
    "factor.removed",
    "factors.reset",
    "passkey.copy_suspected",
    "recovery_code.used",
    "recovery_codes.replaced",
    "device.remembered",
    "device.forgotten",
    "roles.changed",
    "test_code.used",
    "delivery.retried",
    "delivery.deleted",
    "webhook.created",
    "webhook.changed",
    "webhook.secret_rotated",
    "webhook.deleted",
    "webhook.disabled",
]

WEBHOOK_EVENTS: Mapping[EventName, EventType | None] = {
    "user.signed_up": "user.created",
    "user.registered": None,  # until a code proves it, anyone may have written it
    "user.activated": "user.created",
    "user.signed_in": None,
    "user.mfa_asked": None,
    "user.signed_out": None,
    "user.signed_out_everywhere": None,
    "user.stepped_up": None,
    "user.disabled": "user.updated",
    "user.enabled": "user.updated",
    "user.deleted": "user.deleted",
    "user.exported": None,
    "session.revoked": None,
    "session.reuse_detected": None,
    "profile.changed": "user.updated",
    "contact.change_asked": None,
    "contact.changed": "contact.changed",
    "password.changed": "password.changed",
    "password.reset_asked": None,
    "password.reset": "password.changed",
    "factor.added": None,
    "factor.renamed": None,
    "factor.removed": None,
    "factors.reset": None,
    "passkey.copy_suspected": None,
    "recovery_code.used": None,
    "recovery_codes.replaced": None,
    "device.remembered": None,
    "device.forgotten": None,
    "roles.changed": "user.updated",
    "test_code.used": None,
    "delivery.retried": None,
    "delivery.deleted": None,
    "webhook.created": None,
    "webhook.changed": None,
    "webhook.secret_rotated": None,
    "webhook.deleted": None,
    "webhook.disabled": None,
}
"""The event about the user that webhooks get with an audit event.

Those about sessions and factors come from their rows, since one audit event may end many.
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a request; empty for the command line."""

    address: IPv4Address | IPv6Address | None = None
    user_agent: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A security event of an account.

    `user_id`: the account, None when it is unknown. `actor_id`: the user who caused it, None for
    the account's own. `details` never hold a code, a token or a whole address: mask addresses.
    """

    name: EventName
    origin: Origin
    user_id: UUID | None = None
    outcome: Outcome = "success"
    actor_id: UUID | None = None
    session_id: UUID | None = None
    details: Mapping[str, str] = field(default_factory=dict)

    def to_json(
        self, event_id: UUID, now: datetime, webhook_contacts: ContactDetail = "masked"
    ) -> str:
        """Return the row as JSON, the form of the SQL parameter, and what its webhook says."""
        row = {
            "id": event_id,
            "event": self.name,
            "outcome": self.outcome,
            "user_id": self.user_id,
            "actor_id": self.actor_id,
            "session_id": self.session_id,
            "address": self.origin.address,
            "user_agent": self.origin.user_agent,
            "request_id": self.origin.request_id,
            "details": dict(self.details),
            "created_at": rfc3339(now),
            "webhook_event": WEBHOOK_EVENTS[self.name] if self.outcome == "success" else None,
            "webhook_contacts": webhook_contacts,
        }
        return json.dumps(row, default=str)


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Selects events; None: any. `until` is exclusive."""

    user_id: UUID | None = None
    event: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A row of the table."""

    id: UUID
    event: str
    outcome: Outcome
    user_id: UUID | None
    actor_id: UUID | None
    session_id: UUID | None
    address: IPv4Address | IPv6Address | None
    user_agent: str | None
    request_id: str | None
    details: Mapping[str, str]
    created_at: datetime

    def cursor(self) -> str:
        """Return the cursor in lists, which are ordered by id."""
        return encode_cursor([str(self.id)])

    def redacted_for_user(self) -> Self:
        """Return the event for its user: without another actor and that actor's origin."""
        if self.actor_id in {None, self.user_id}:
            return self
        return replace(
            self,
            actor_id=None,
            session_id=None,
            address=None,
            user_agent=None,
            request_id=None,
            details={**self.details, "by": "an administrator"},
        )
