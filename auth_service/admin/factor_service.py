"""Removing the second factors of a user who has lost them."""

from dataclasses import dataclass, replace
from uuid import UUID

from auth_service.admin.model import Actor
from auth_service.audit.model import Event
from auth_service.audit.service import AuditLog
from auth_service.client import Client
from auth_service.factor.repository import remove_all, store_kinds
from auth_service.notification.service import Notifications
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

    async def reset(self, actor: Actor, user_id: UUID, reason: str, client: Client) -> None:
        """Remove the user's factors and recovery codes; mail and SMS tell the user.

        Sessions go on. They count as proven by one factor at once.

        Raises:
            NotFound: there is no such user.
        """
        details = {"reason": reason}
        event = Event("factors.reset", actor.origin, user_id, actor_id=actor.id, details=details)
        async with self.database.transaction() as connection:
            await lock_user(connection, user_id)
            account = await find_account(connection, user_id)
            if account is None:
                raise NotFound
            await remove_all(connection, user_id, self.clock.now())
            await store_kinds(connection, user_id)
            await self.audit.append(event, connection)
        client = replace(client, languages=())  # they are the administrator's
        for to in account.user.destinations("email", "sms"):
            await self.notifications.send(account.user, "factors_reset", client, to=to)
