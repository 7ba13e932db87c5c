"""Purging expired rows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from auth_service.audit.service import AuditLog
from auth_service.factor.model import PENDING_LIFE
from auth_service.factor.resealing import SecretResealer
from auth_service.purge import repository
from auth_service.user.model import REGISTRATION_LIFE
from shared.clock import Clock
from shared.db import Database
from shared.webhooks.delivery.repository import delete_expired as delete_expired_deliveries
from shared.webhooks.event.repository import delete_expired as delete_expired_events

BATCH = 1000
SESSIONS_KEPT = timedelta(days=1)
"""An ended session admits nobody; its last access token has expired long before."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PurgeService:
    """Deletes expired rows. Any number of replicas may run it concurrently."""

    database: Database
    audit: AuditLog
    secret_resealer: SecretResealer
    clock: Clock

    async def run(self) -> dict[str, int]:
        """Delete all expired rows; return how many of each kind. Seal old secrets anew."""
        now = self.clock.now()
        removed = {
            "registrations": await self._remove_all("registrations", now - REGISTRATION_LIFE),
            "tickets": await self._remove_all("tickets", now),
            "sessions": await self._remove_all("sessions", now - SESSIONS_KEPT),
            "factors": await self._remove_all("factors", now - PENDING_LIFE),
            "devices": await self._remove_all("devices", now),
            "events": await self.audit.remove_old(),
        }
        await delete_expired_deliveries(self.database, now)
        await delete_expired_events(self.database, now)
        if any(removed.values()):
            log.info("purge.finished", **removed)
        if resealed := await self.secret_resealer.run():
            log.info("factor_secrets.resealed", count=resealed)
        return removed

    async def _remove_all(self, kind: repository.Kind, before: datetime) -> int:
        total = 0
        while count := await repository.delete_before(self.database, kind, before, BATCH):
            total += count
        return total
