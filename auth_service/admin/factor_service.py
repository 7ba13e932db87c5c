"""Removing the second factors of a user who has lost them."""

from dataclasses import dataclass, replace
from uuid import UUID

from auth_service.audit.model import Event
from auth_service.audit.service import AuditLog
from auth_service.factor.repository import remove_all, store_kinds
from auth_service.notification.service import Notifications
from auth_service.session.model import Caller, SignInContext
from auth_service.session.recent_authentication import require_recent_authentication
from auth_service.session.repository import lock_user
from auth_service.user.repository import find_account
from shared.clock import Clock
from shared.db import Database
from shared.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorAdministration:
    """Resets second factors."""

    database: Database
    notifications: Notifications
    audit: AuditLog
    clock: Clock

    async def reset(
        self, caller: Caller, user_id: UUID, reason: str, context: SignInContext
    ) -> None:
        """Remove the user's factors and recovery codes; mail and SMS tell the user.

        Sessions go on. They count as proven by one factor from their next refresh on.

        Raises:
            StepUpRequired: the administrator's last authentication is too old.
            NotFound: there is no such user.
        """
        require_recent_authentication(caller, self.clock.now())
        event = Event(
            "factors.reset",
            context.origin,
            user_id,
            actor_id=caller.user.id,
            details={"reason": reason},
        )
        async with self.database.transaction() as connection:
            await lock_user(connection, user_id)
            account = await find_account(connection, user_id)
            if account is None:
                raise NotFound
            await remove_all(connection, user_id, self.clock.now())
            await store_kinds(connection, user_id)
            await self.audit.append(event, connection)
        client = replace(context.client, languages=())  # they are the administrator's
        for to in account.user.destinations("email", "sms"):
            await self.notifications.send(account.user, "factors_reset", client, to=to)
