"""Uses of recovery codes, and the notices about them."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from auth_service.audit.model import Event, Origin
from auth_service.audit.service import AuditLog
from auth_service.client import Client
from auth_service.factor.model import RecoveryCodeUse
from auth_service.factor.recovery.codes import hash_code
from auth_service.factor.recovery.repository import count_recovery_codes
from auth_service.notification.service import Notifications
from auth_service.user.model import User
from shared.db import Database
from shared.errors import ServiceUnavailable

CODE_USED = "recovery_code_used"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """Describes uses of recovery codes, and notifies their users."""

    database: Database
    notifications: Notifications
    audit: AuditLog

    def find_use(self, user_id: UUID, code: str, origin: Origin) -> RecoveryCodeUse:
        """Return the use of a code, right or wrong; the database decides when the use is stored."""
        event = self.audit.to_json(Event("recovery_code.used", origin, user_id))
        return RecoveryCodeUse(user_id, hash_code(code), event)

    async def notify_used(self, user: User, client: Client) -> None:
        """Notify the user that a code was used, and how many are left.

        The code is used already, so no failure here fails the request.
        """
        try:
            left = await count_recovery_codes(self.database, user.id)
        except ServiceUnavailable:
            log.error("notice.lost", template=CODE_USED, user_id=str(user.id))
            return
        for to in user.destinations("email", "sms"):
            await self.notifications.send(user, CODE_USED, client, to=to, left=str(left))
