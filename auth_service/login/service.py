"""Signing in with an existing account: by code or by password."""

from dataclasses import dataclass, replace

from auth_service.audit.service import AuditLog
from auth_service.client import Client
from auth_service.destination import Destination
from auth_service.factor.enrolment import send_enrolment_code
from auth_service.minimum_duration import conceal_duration, minimum_duration
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.model import DECOY, Challenge, ChallengeMessage
from auth_service.otp.service import OtpChallenges
from auth_service.password.attempts import PasswordAttempts
from auth_service.password.errors import InvalidCredentials
from auth_service.password.model import AccountIdentifier
from auth_service.password.verifier import PasswordVerifier
from auth_service.session.errors import AccountDisabled
from auth_service.session.model import SignedInUser, SignInContext
from auth_service.session.sign_in.model import PendingSignIn, require_complete
from auth_service.session.sign_in.service import SessionCreator
from auth_service.settings import AuthSettings
from auth_service.user.directory import AccountReader
from auth_service.user.errors import AccountNotVerified, UserNotRegistered
from auth_service.user.model import Account
from shared.errors import DomainError
from shared.logs import mask


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginService:
    """Requests a code for an account, and signs in by code or by password."""

    accounts: AccountReader
    challenges: OtpChallenges
    session_creator: SessionCreator
    audit: AuditLog
    passwords: PasswordVerifier
    attempts: PasswordAttempts
    settings: AuthSettings

    async def request_code(self, destination: Destination, client: Client) -> Challenge:
        """Send a code to the account with the address.

        With `conceal`, an address without an account gets a decoy challenge.

        Raises:
            UserNotRegistered, AccountNotVerified: no such account, without `conceal`.
            RateLimited: too many codes.
        """
        async with conceal_duration(conceal=self.settings.conceals):
            found = await self.accounts.look_up(destination.channel, destination.address)
            account = found.active if self.settings.conceals else found.owner
            if account is None and not self.settings.conceals:
                raise AccountNotVerified if found.pending else UserNotRegistered
            message = DECOY
            if account:
                message = ChallengeMessage(account.user.challenge_context, has_verified_owner=True)
            return await self.challenges.send("login", destination, client, message)

    async def by_code(
        self, destination: Destination, code: str, handle: str | None, context: SignInContext
    ) -> SignedInUser:
        """Sign the account in; when the sign-in cannot be stored, the code stays valid.

        Raises:
            OtpInvalid: the code is wrong, used or expired, or the account has changed since the
                code was sent.
            RateLimited: too many wrong codes.
            AccountDisabled: the account may not sign in.
            MfaRequired: the account has a second factor.
        """
        async with self.audit.record_refusals(context.event(to=mask(destination.address))):
            verified = await self.challenges.verify(
                "login", destination, code, handle, context.client
            )
            async with self.challenges.restore_on_failure(verified):
                found = await self.accounts.look_up(destination.channel, destination.address)
                account = found.owner
                if account is None or account.user.challenge_context != verified.context:
                    raise OtpInvalid
                if not account.user.active:
                    raise AccountDisabled
                context = replace(context, code_requested_at=verified.requested_at)
                signed_in = await self.session_creator.sign_in(account, context)
            if signed_in is None:
                raise OtpInvalid
        return require_complete(signed_in)

    async def by_password(
        self, identifier: AccountIdentifier, password: str, context: SignInContext
    ) -> SignedInUser:
        """Sign the account in; an unknown identifier takes as long as a wrong password.

        Raises:
            InvalidCredentials: the password is wrong, or the real reason must not be revealed.
            AccountNotVerified, AccountDisabled: it is right, and the account may not sign in.
            RateLimited: too many wrong passwords for that identifier from that client.
            MfaRequired: the password is right, and the account has a second factor.
            MfaEnrolmentRequired: it is right, and the account has to add one, by a code too.
            ServiceUnavailable: too many passwords are being checked; nothing was counted.
        """
        client = context.client
        async with self.attempts.login(identifier, client) as refund:
            async with minimum_duration(self.passwords.minimum_seconds) as minimum:
                found = await self.accounts.look_up(identifier.kind, identifier.value)
                account = found.owner or found.pending
                is_right = await self.passwords.verify(
                    password, account, client.network, after_wait=minimum.restart
                )
            signed_in = None
            if is_right and account and account.user.active:
                account, signed_in = await self._sign_in(account, password, context)
        user_id = account.user.id if account else None
        event = context.event(user_id=user_id, to=mask(identifier.value))
        async with self.audit.record_refusals(event):
            if not is_right or account is None:
                raise InvalidCredentials
            if not account.user.active:
                raise self._inactive_error(account)
            if signed_in is None:
                raise InvalidCredentials
        await refund()
        await self.passwords.rehash_if_outdated(account, password, client.network)
        if isinstance(signed_in, PendingSignIn) and not signed_in.methods:
            channel = await send_enrolment_code(
                self.challenges, account.user, signed_in.ticket, client
            )
            signed_in = replace(signed_in, channel=channel)
        return require_complete(signed_in)

    async def _sign_in(
        self, account: Account, password: str, context: SignInContext
    ) -> tuple[Account, SignedInUser | PendingSignIn | None]:
        """Sign the account in, and return the version of it that was signed in.

        Another sign-in may have replaced the hash meanwhile: then the current account decides.
        """
        signed_in = await self.session_creator.sign_in(account, context)
        if signed_in is not None:
            return account, signed_in
        current = await self.accounts.find(account.user.id)
        network = context.client.network
        if current is None or not await self.passwords.verify(password, current, network):
            return account, None
        return current, await self.session_creator.sign_in(current, context)

    def _inactive_error(self, account: Account) -> DomainError:
        # Anyone who registered an address knows that registration's password: the reason would
        # reveal whether the address belongs to another account.
        if self.settings.conceals:
            return InvalidCredentials()
        return AccountNotVerified() if account.user.status == "pending" else AccountDisabled()
