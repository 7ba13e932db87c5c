"""Tickets of sign-ins that are of no use any more, or not to the client that sends them."""

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
