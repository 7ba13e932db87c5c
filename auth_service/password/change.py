"""Changing a password by the current one."""

from auth_service.audit.model import Event
from auth_service.audit.service import AuditLog
from auth_service.password.attempts import PasswordAttempts
from auth_service.password.errors import WrongPassword
from auth_service.password.new_passwords import NewPasswords
from auth_service.password.replacement import PasswordReplacement
from auth_service.password.verifier import PasswordVerifier
from auth_service.session.model import Caller, SignInContext
from auth_service.user.directory import AccountDirectory
from auth_service.user.repository import set_password

FIELD = "new_password"


class PasswordChangeService:
    """Changes a signed-in user's password."""

    def __init__(  # noqa: PLR0913 - a service names its collaborators
        self,
        *,
        accounts: AccountDirectory,
        passwords: PasswordVerifier,
        attempts: PasswordAttempts,
        new_passwords: NewPasswords,
        replacement: PasswordReplacement,
        audit: AuditLog,
    ) -> None:
        """Verify by `passwords`, store by `replacement`."""
        self._accounts = accounts
        self._passwords = passwords
        self._attempts = attempts
        self._new_passwords = new_passwords
        self._replacement = replacement
        self._audit = audit

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
        self._new_passwords.require_acceptable_for(user, password, field=FIELD)
        event = Event("password.changed", context.origin, user.id, session_id=caller.session_id)
        async with self._attempts.own_password(caller) as refund:
            account = await self._accounts.find(user.id)
            is_right = await self._passwords.verify(current, account, network)
            fresh = await self._new_passwords.hash(password, network) if is_right else ""
        async with self._audit.record_refusals(event):
            if account is None or not is_right:
                raise WrongPassword
            async with self._replacement.revoke_others_transaction(caller, event) as connection:
                if not await set_password(connection, account, fresh):
                    raise WrongPassword  # another password was stored since this one was verified
        await refund()
        await self._replacement.notify_and_publish(user, "password_changed", context.client)
