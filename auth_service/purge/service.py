"""What is removed when."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from auth_service.audit.service import AuditLog
from auth_service.purge import repository
from auth_service.user.model import REGISTRATION_LIFE
from shared.clock import Clock
from shared.db import Database

BATCH = 1000
SESSIONS_KEPT = timedelta(days=1)
"""A session that is past its end admits nobody; its last access token has expired long before."""
Remove = Callable[[Database, datetime, int], Awaitable[int]]
log = structlog.get_logger()


class Purge:
    """Removes what has ended. Any number of replicas may do it at once."""

    def __init__(self, database: Database, audit: AuditLog, clock: Clock) -> None:
        """Remove from `database`."""
        self._database = database
        self._audit = audit
        self._clock = clock

    async def run(self) -> dict[str, int]:
        """Remove all there is to remove; return how many of each."""
        now = self._clock.now()
        removed = {
            "registrations": await self._all(
                repository.remove_registrations, now - REGISTRATION_LIFE
            ),
            "tickets": await self._all(repository.remove_tickets, now),
            "sessions": await self._all(repository.remove_sessions, now - SESSIONS_KEPT),
            "events": await self._audit.remove_old(),
        }
        if any(removed.values()):
            log.info("purge.finished", **removed)
        return removed

    async def _all(self, remove: Remove, moment: datetime) -> int:
        total = 0
        while count := await remove(self._database, moment, BATCH):
            total += count
        return total
