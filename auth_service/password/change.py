"""Changing a password by the current one."""

from dataclasses import dataclass

from auth_service.audit.service import AuditLog
from auth_service.password.attempts import PasswordAttempts
from auth_service.password.change_revocation import PasswordChangeRevocation
from auth_service.password.errors import WrongPassword
from auth_service.password.hasher import Hasher
from auth_service.password.policy import require_acceptable_password
from auth_service.password.verifier import PasswordVerifier
from auth_service.session.model import Caller, SignInContext
from auth_service.user.directory import AccountReader
from auth_service.user.repository import set_password


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChangeService:
    """Changes a signed-in user's password."""

    accounts: AccountReader
    passwords: PasswordVerifier
    attempts: PasswordAttempts
    hasher: Hasher
    change_revocation: PasswordChangeRevocation
    audit: AuditLog

    async def change(
        self, caller: Caller, current: str, password: str, context: SignInContext
    ) -> None:
        """Set the new password, and revoke the user's other sessions.

        Raises:
            ValidationFailed: the new password is refused.
            WrongPassword: the current one is wrong, or has just been replaced.
            RateLimited: too many wrong ones in this session.
            RevocationPending: it is set, but other services may not know of the revocation yet.
        """
        user, network = caller.user, context.client.network
        require_acceptable_password(
            password, field="new_password", username=user.username, email=user.email
        )
        event = caller.event("password.changed", context.origin)
        async with self.attempts.count_own_password(caller) as refund:
            account = await self.accounts.find(user.id)
            is_right = await self.passwords.verify(current, account, network)
            fresh = await self.hasher.hash(password, network) if is_right else ""
        async with self.audit.record_refusals(event):
            if account is None or not is_right:
                raise WrongPassword
            async with self.change_revocation.revoke_others_transaction(
                caller, event
            ) as connection:
                if not await set_password(connection, account, fresh):
                    raise WrongPassword  # another password was stored since this one was verified
        await refund()
        await self.change_revocation.notify_and_publish(user, "password_changed", context.client)
