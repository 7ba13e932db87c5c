"""Storing a new password, and revoking the sessions that began with the old one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from auth_service.audit.model import Event
from auth_service.audit.service import AuditLog
from auth_service.client import Client
from auth_service.notification.service import Notifications
from auth_service.otp.invalidation import CodeInvalidator
from auth_service.revocation.service import Publisher
from auth_service.session.model import Caller, SessionLifetimes
from auth_service.session.repository import lock_user, revoke_all_sessions, revoke_other_sessions
from auth_service.token.repository import remove_tickets
from auth_service.user.model import User
from shared.clock import Clock
from shared.db import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChangeRevocation:
    """Revokes sessions in the transaction that stores a password, and announces it afterwards."""

    invalidator: CodeInvalidator
    audit: AuditLog
    lifetimes: SessionLifetimes
    notifications: Notifications
    publisher: Publisher
    clock: Clock

    @asynccontextmanager
    async def revoke_all_transaction(self, user: User, event: Event) -> AsyncIterator[Connection]:
        """Open a transaction to store a password in; every session of the user is revoked.

        Sign-ins in progress are waited for. An error in the block changes nothing.
        """
        now = self.clock.now()
        async with self.invalidator.revocation_transaction(user) as connection:
            await lock_user(connection, user.id)
            yield connection
            new = self.lifetimes.new_revocation("password_reset", self.audit.to_json(event), now)
            await revoke_all_sessions(connection, user.id, new)

    @asynccontextmanager
    async def revoke_others_transaction(
        self, caller: Caller, event: Event
    ) -> AsyncIterator[Connection]:
        """Open a transaction to store a password in; every other session is revoked, likewise."""
        now, user = self.clock.now(), caller.user
        async with self.invalidator.revocation_transaction(
            user, keep=caller.device_id
        ) as connection:
            await lock_user(connection, user.id)
            yield connection
            await remove_tickets(connection, user.id)
            new = self.lifetimes.new_revocation("password_changed", self.audit.to_json(event), now)
            await revoke_other_sessions(connection, user.id, caller.session_id, new)

    async def notify_and_publish(self, user: User, template: str, client: Client) -> None:
        """Send the user a notice, and publish the revoked sessions.

        Raises:
            RevocationPending: other services may not know of the revocation yet.
        """
        await self.notifications.send(user, template, client)
        await self.publisher.publish_pending_of_user(user.id)
