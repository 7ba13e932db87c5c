"""A user's own profile, and the end of the account."""

from collections.abc import Mapping
from dataclasses import dataclass

from auth_service.account import repository
from auth_service.audit.service import AuditLog
from auth_service.otp.invalidation import CodeInvalidator
from auth_service.revocation.model import DELETED_LIFE
from auth_service.revocation.service import Publisher
from auth_service.session.model import Caller, SignInContext
from auth_service.session.recent_authentication import require_recent_authentication
from auth_service.settings import AuthSettings
from auth_service.user.model import User
from auth_service.user.reserved_usernames import require_not_reserved
from shared.clock import Clock
from shared.db import Database
from shared.errors import Conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountService:
    """Changes a user's profile, and deletes the account."""

    database: Database
    invalidator: CodeInvalidator
    publisher: Publisher
    audit: AuditLog
    clock: Clock
    settings: AuthSettings

    async def change_profile(
        self, caller: Caller, changes: Mapping[str, str | None], context: SignInContext
    ) -> User:
        """Store new names.

        Raises:
            StepUpRequired: the username changes, and the last authentication is too old.
            ValidationFailed: the new username is reserved.
            Conflict: another user has the username.
        """
        self._require_may_rename(caller, changes.get("username"))
        event = caller.event("profile.changed", context.origin, fields=" ".join(sorted(changes)))
        async with self.database.connection() as connection:
            user = await repository.change_profile(
                connection, caller.user.id, changes, event_json=self.audit.to_json(event)
            )
        if user is None:
            raise Conflict("The username is taken")
        changed = {*caller.user.code_identifiers} ^ {*user.code_identifiers}
        if changed:
            await self.invalidator.invalidate_and_forget_devices(changed)
        return user

    def _require_may_rename(self, caller: Caller, username: str | None) -> None:
        before = caller.user.username
        if username is None or username == before:
            return
        require_recent_authentication(caller, self.clock.now())
        if before is None or username.lower() != before.lower():
            require_not_reserved(username, self.settings.reserved_usernames)

    async def delete(self, caller: Caller, context: SignInContext) -> None:
        """Delete the account, its sessions and tokens; other services delete their data.

        Raises:
            StepUpRequired: the last authentication is too old.
            RevocationPending: it is deleted, but other services may not know yet.
        """
        user, now = caller.user, self.clock.now()
        require_recent_authentication(caller, now)
        event = caller.event("user.deleted", context.origin)
        async with self.invalidator.revocation_transaction(user) as connection:
            await repository.delete_user(
                connection,
                user.id,
                event_json=self.audit.to_json(event),
                now=now,
                until=now + DELETED_LIFE,
            )
        await self.publisher.publish_pending_of_user(user.id)
