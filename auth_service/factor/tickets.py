"""Refused tickets of sign-ins: dead ones, and those of other devices, in the audit trail."""

from auth_service.audit.model import Event, Origin
from auth_service.audit.service import AuditLog
from auth_service.client import Client
from auth_service.factor import repository
from auth_service.factor.errors import MfaTicketInvalid
from shared.db import Database


async def record_refused_ticket(
    database: Database, audit: AuditLog, ticket_hash: bytes, client: Client
) -> None:
    """Store the refusal of a ticket if its user is known, a few times for each ticket."""
    event = Event(
        "user.signed_in",
        Origin(client.address, client.user_agent, client.request_id),
        outcome="failure",
        details={"reason": MfaTicketInvalid.code},
    )
    await repository.record_refused_ticket(database, ticket_hash, event_json=audit.to_json(event))
