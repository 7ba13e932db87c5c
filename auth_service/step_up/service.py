"""Authenticating again in a session: by a code or the password, or else by a second factor."""

from dataclasses import asdict, dataclass

from auth_service.audit.model import EventName
from auth_service.audit.service import AuditLog
from auth_service.destination import Channel
from auth_service.factor.errors import MfaInvalid
from auth_service.factor.model import Proof, amr_of
from auth_service.factor.verification import FactorVerifier, step_up_ceremony
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.model import Challenge, ChallengeMessage
from auth_service.otp.service import OtpChallenges
from auth_service.password.attempts import PasswordAttempts
from auth_service.password.errors import WrongPassword
from auth_service.password.verifier import PasswordVerifier
from auth_service.session.errors import MfaRequired
from auth_service.session.model import (
    BY_CODE,
    BY_PASSWORD,
    Caller,
    Session,
    SignInContext,
)
from auth_service.session.repository import lock_user
from auth_service.step_up.recorder import AuthenticationRecorder
from auth_service.user.model import Account
from auth_service.user.repository import find_account
from shared.db import Database
from shared.errors import TokenRevoked

STEPPED_UP: EventName = "user.stepped_up"
CODE_CHANNELS: tuple[Channel, ...] = ("sms", "email")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUpService:
    """Renews a session's authentication time."""

    database: Database
    challenges: OtpChallenges
    passwords: PasswordVerifier
    attempts: PasswordAttempts
    factor_verifier: FactorVerifier
    authentication_recorder: AuthenticationRecorder
    audit: AuditLog

    async def request_code(self, caller: Caller, context: SignInContext) -> Challenge:
        """Send a code to the caller's verified number, else to the mail address.

        Raises:
            MfaRequired: the caller has a second factor, so that no such code is enough.
            RateLimited: too many codes.
        """
        await self._require_no_factor(caller)
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
                return await self.authentication_recorder.record(
                    self.database, caller, account, BY_CODE[to.channel], event
                )

    async def by_password(self, caller: Caller, password: str, context: SignInContext) -> Session:
        """Renew the authentication by the password.

        Raises:
            MfaRequired: the caller has a second factor, so that the password is not enough.
            WrongPassword: the password is wrong, or the user has none.
            RateLimited: too many wrong ones in this session.
            TokenRevoked: the session has ended meanwhile.
        """
        await self._require_no_factor(caller)
        event = caller.event(STEPPED_UP, context.origin, method="password")
        async with self.attempts.count_own_password(caller) as refund:
            account = await self._require_account(caller)
            is_right = await self.passwords.verify(password, account, context.client.network)
        async with self.audit.record_refusals(event):
            if not is_right:
                raise WrongPassword
            session = await self.authentication_recorder.record(
                self.database, caller, account, BY_PASSWORD, event
            )
        await refund()
        return session

    async def by_factor(self, caller: Caller, proof: Proof, context: SignInContext) -> Session:
        """Renew the authentication by a second factor.

        Raises:
            MfaInvalid: the proof is wrong or was used before.
            RateLimited: too many wrong ones, on the session's device if it is known.
            TokenRevoked: the session has ended meanwhile.
        """
        event = caller.event(STEPPED_UP, context.origin, method=proof.method)
        session = None
        async with self.factor_verifier.attempt(caller.user.id, proof, caller.device_id) as refund:
            account = await self._require_account(caller)
            uses = await self.factor_verifier.find_uses(
                caller.user.id, proof, step_up_ceremony(caller), context.origin
            )
            if uses:
                async with self.database.transaction() as connection:
                    await lock_user(connection, caller.user.id)
                    if await self.factor_verifier.use(connection, uses):
                        amr = amr_of(uses[0])
                        session = await self.authentication_recorder.record(
                            connection, caller, account, amr, event
                        )
        async with self.audit.record_refusals(event):
            if session is None:
                raise MfaInvalid
        await refund()
        await self.factor_verifier.notify_used(caller.user, proof, context.client)
        return session

    async def _require_no_factor(self, caller: Caller) -> None:
        """Return if a code or the password is enough for the caller.

        Raises:
            MfaRequired: the caller has a second factor.
        """
        if caller.user.factor_kinds:
            methods = await self.factor_verifier.find_methods(caller.user)
            options = await self.factor_verifier.step_up_options(caller)
            raise MfaRequired(methods, options=asdict(options) if options else None)

    async def _require_account(self, caller: Caller) -> Account:
        account = await find_account(self.database, caller.user.id)
        if account is None:
            raise TokenRevoked
        return account


def _challenge_context(caller: Caller) -> dict[str, str]:
    """Return the data that a code is bound to."""
    return {**caller.user.challenge_context, "session_id": str(caller.session_id)}
