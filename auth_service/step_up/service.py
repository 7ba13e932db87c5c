"""Authenticating again in a session: by a code, or by the password."""

from dataclasses import dataclass, replace

from auth_service.audit.model import Event, EventName
from auth_service.audit.service import AuditLog
from auth_service.destination import Channel
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.model import Challenge, ChallengeMessage
from auth_service.otp.service import OtpChallenges
from auth_service.password.attempts import PasswordAttempts
from auth_service.password.errors import WrongPassword
from auth_service.password.verifier import PasswordVerifier
from auth_service.session.model import (
    BY_CODE,
    BY_PASSWORD,
    Authentication,
    Caller,
    Session,
    SignInContext,
)
from auth_service.step_up import repository
from auth_service.user.directory import AccountReader
from auth_service.user.model import Account
from shared.clock import Clock
from shared.db import Database
from shared.errors import TokenRevoked

STEPPED_UP: EventName = "user.stepped_up"
CODE_CHANNELS: tuple[Channel, ...] = ("sms", "email")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUpService:
    """Renews a session's authentication time."""

    database: Database
    accounts: AccountReader
    challenges: OtpChallenges
    passwords: PasswordVerifier
    attempts: PasswordAttempts
    audit: AuditLog
    clock: Clock

    async def request_code(self, caller: Caller, context: SignInContext) -> Challenge:
        """Send a code to the caller's verified number, else to the mail address.

        Raises:
            RateLimited: too many codes.
        """
        to = caller.user.destination(*CODE_CHANNELS)
        if to is None:
            raise TokenRevoked  # the user has lost the address that the session began with
        message = ChallengeMessage(_challenge_context(caller), has_verified_owner=True)
        return await self.challenges.send("step_up", to, context.client, message)

    async def by_code(
        self, caller: Caller, code: str, handle: str | None, context: SignInContext
    ) -> Session:
        """Renew the authentication by a code; when that cannot be stored, the code stays valid.

        Raises:
            OtpInvalid: the code is wrong, used, expired, or belongs to another session.
            RateLimited: too many wrong codes.
            TokenRevoked: the session has ended meanwhile.
        """
        to = caller.user.destination(*CODE_CHANNELS)
        event = caller.event(STEPPED_UP, context.origin, method="otp")
        async with self.audit.record_refusals(event):
            if to is None:
                raise OtpInvalid
            verified = await self.challenges.verify("step_up", to, code, handle, context.client)
            async with self.challenges.restore_on_failure(verified):
                if verified.context != _challenge_context(caller):
                    raise OtpInvalid
                account = await self._require_account(caller)
                return await self._record(caller, account, BY_CODE[to.channel], event)

    async def by_password(self, caller: Caller, password: str, context: SignInContext) -> Session:
        """Renew the authentication by the password.

        Raises:
            WrongPassword: the password is wrong, or the user has none.
            RateLimited: too many wrong ones in this session.
            TokenRevoked: the session has ended meanwhile.
        """
        event = caller.event(STEPPED_UP, context.origin, method="password")
        async with self.attempts.count_own_password(caller) as refund:
            account = await self._require_account(caller)
            is_right = await self.passwords.verify(password, account, context.client.network)
        async with self.audit.record_refusals(event):
            if not is_right:
                raise WrongPassword
            session = await self._record(caller, account, BY_PASSWORD, event)
        await refund()
        return session

    async def _require_account(self, caller: Caller) -> Account:
        account = await self.accounts.find(caller.user.id)
        if account is None:
            raise TokenRevoked
        return account

    async def _record(
        self, caller: Caller, account: Account, amr: tuple[str, ...], event: Event
    ) -> Session:
        session = await repository.record_authentication(
            self.database,
            caller,
            account,
            Authentication(amr, self.clock.now()),
            event_json=self.audit.to_json(event),
        )
        if session is None:
            raise TokenRevoked
        # the caller may have missed the answer of a later refresh
        return replace(session, rotations=caller.rotations)


def _challenge_context(caller: Caller) -> dict[str, str]:
    """Return the data that a code is bound to."""
    return {**caller.user.challenge_context, "session_id": str(caller.session_id)}
