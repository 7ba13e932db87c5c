"""Users as administrators find and change them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from auth_service.admin import repository
from auth_service.admin.errors import NotActivated, OwnAccount
from auth_service.admin.model import Actor, UserPrefixSearch
from auth_service.audit.model import Event, EventName
from auth_service.audit.service import AuditLog
from auth_service.otp.invalidation import CodeInvalidator
from auth_service.revocation.service import Publisher
from auth_service.session.model import SessionLifetimes
from auth_service.session.repository import lock_user, revoke_all_sessions
from auth_service.user.model import User
from auth_service.user.repository import find_account
from shared.clock import Clock
from shared.db import Connection, Database, Executor
from shared.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAdministration:
    """Finds and changes users. A method that takes a user's id raises `NotFound` without one.

    Methods that revoke tokens raise `RevocationPending` when other services may not know yet; the
    call may be repeated.
    """

    database: Database
    publisher: Publisher
    invalidator: CodeInvalidator
    audit: AuditLog
    lifetimes: SessionLifetimes
    clock: Clock

    async def search(self, search: UserPrefixSearch | None, before: UUID, limit: int) -> list[User]:
        """Return users, the newest first; without a search all of them."""
        return await repository.list_users(self.database, search, before, limit)

    async def find_verified_user(self, address: str) -> User | None:
        """Return the user who has verified the number or mail address."""
        return await repository.find_verified_user(self.database, address)

    async def get(self, user_id: UUID) -> User:
        """Return the user."""
        return await _found(self.database, user_id)

    async def disable(self, actor: Actor, user_id: UUID) -> User:
        """Disable the user: every session, token and outstanding code is invalid at once.

        Raises:
            OwnAccount: the actor is the user.
            NotActivated: it is a registration, which would block its identifiers for good.
        """
        if actor.id == user_id:
            raise OwnAccount
        event = self._event("user.disabled", actor, user_id)
        new = self.lifetimes.new_revocation("disabled", event, self.clock.now())
        async with self._code_invalidation_transaction(user_id) as connection:
            if (await _found(connection, user_id)).status == "pending":
                raise NotActivated
            await repository.disable(connection, user_id, new)
            user = await _found(connection, user_id)
        await self.publisher.publish_pending_of_user(user_id)
        return user

    async def enable(self, actor: Actor, user_id: UUID) -> User:
        """Enable the user again; revoked sessions stay revoked."""
        event = self._event("user.enabled", actor, user_id)
        async with self.database.transaction() as connection:
            await lock_user(connection, user_id)
            await repository.enable(connection, user_id, event_json=event)
            return await _found(connection, user_id)

    async def revoke_sessions(self, actor: Actor, user_id: UUID) -> None:
        """Revoke every session of the user."""
        now = self.clock.now()
        event = self._event("user.signed_out_everywhere", actor, user_id)
        new = self.lifetimes.new_revocation("administration", event, now)
        async with self._code_invalidation_transaction(user_id) as connection:
            await revoke_all_sessions(connection, user_id, new)
        await self.publisher.publish_pending_of_user(user_id)

    async def change_roles(
        self,
        actor: Actor,
        user_id: UUID,
        how: Literal["set", "grant", "revoke"],
        roles: Sequence[str],
    ) -> User:
        """Change the user's roles; old access tokens are revoked, sessions go on.

        Raises:
            OwnAccount: administrators would remove their own role.
        """
        if how == "set" and actor.id == user_id and "admin" not in roles:
            raise OwnAccount
        now, event = self.clock.now(), self._event("roles.changed", actor, user_id)
        async with self._code_invalidation_transaction(user_id, forget_devices=False) as connection:
            await repository.change_roles(
                connection,
                user_id,
                how,
                sorted(set(roles)),
                self.lifetimes.new_revocation("roles_changed", event, now),
            )
            user = await _found(connection, user_id)
        await self.publisher.publish_pending_of_user(user_id)
        return user

    @asynccontextmanager
    async def _code_invalidation_transaction(
        self, user_id: UUID, *, forget_devices: bool = True
    ) -> AsyncIterator[Connection]:
        user = await self.get(user_id)
        async with self.invalidator.revocation_transaction(
            user, forget_devices=forget_devices
        ) as connection:
            await lock_user(connection, user_id)
            yield connection

    def _event(self, name: EventName, actor: Actor, user_id: UUID) -> str:
        return self.audit.to_json(Event(name, actor.origin, user_id, actor_id=actor.id))


async def _found(executor: Executor, user_id: UUID) -> User:
    account = await find_account(executor, user_id)
    if account is None:
        raise NotFound
    return account.user
