"""Stores the result of each delivery, and an audit event of each webhook that it disables."""

from dataclasses import dataclass
from datetime import datetime

from auth_service.audit.model import Event, Origin
from auth_service.audit.service import AuditLog
from shared.db import Database
from shared.webhooks.delivery.model import DeliveryResult
from shared.webhooks.delivery.repository import finish, finish_delivery, record_health


@dataclass(frozen=True, slots=True)
class AuditedResults:
    """Stores results; the audit trail names each webhook that is disabled."""

    database: Database
    audit: AuditLog

    async def store(self, result: DeliveryResult, now: datetime) -> bool:
        """Store a result; return whether that disabled its endpoint."""
        if result.cutoff is None:  # it disables none
            return await finish(self.database, result, now)
        if not await finish_delivery(self.database, result):
            return False
        async with self.database.transaction() as connection:
            disabled = await record_health(connection, result, now)
            if disabled:
                details = {"webhook": str(result.claimed.endpoint_id)}
                event = Event("webhook.disabled", Origin(), details=details)
                await self.audit.append(event, connection)
        return disabled
