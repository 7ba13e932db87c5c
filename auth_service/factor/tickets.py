"""Refused tickets of sign-ins: dead ones, and those of other devices, in the audit trail."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from auth_service.audit.model import Event, Origin
from auth_service.audit.service import AuditLog
from auth_service.client import Client
from auth_service.factor import repository
from auth_service.factor.errors import MfaTicketInvalid
from shared.db import Database
from shared.errors import Unauthorized


@asynccontextmanager
async def record_refusals(
    database: Database, audit: AuditLog, ticket_hash: bytes, client: Client
) -> AsyncIterator[None]:
    """Store what the block refuses to a ticket, a few times for each; the error goes on."""
    try:
        yield
    except Unauthorized as refused:
        await record_refused_ticket(database, audit, ticket_hash, client, refused.code)
        raise


async def record_refused_ticket(
    database: Database,
    audit: AuditLog,
    ticket_hash: bytes,
    client: Client,
    reason: str = MfaTicketInvalid.code,
) -> None:
    """Store the refusal of a ticket if its user is known, a few times for each ticket."""
    event = Event(
        "user.signed_in",
        Origin(client.address, client.user_agent, client.request_id),
        outcome="failure",
        details={"reason": reason},
    )
    await repository.record_refused_ticket(database, ticket_hash, event_json=audit.to_json(event))
