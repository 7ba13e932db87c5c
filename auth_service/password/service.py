"""Resetting a forgotten password."""

from dataclasses import dataclass, replace
from uuid import UUID

from auth_service.audit.model import Event
from auth_service.audit.service import AuditLog
from auth_service.client import Client
from auth_service.destination import Destination
from auth_service.minimum_duration import minimum_duration
from auth_service.otp.errors import NoActiveChallenge, OtpInvalid
from auth_service.otp.model import DECOY, Challenge, ChallengeMessage, MailedLink, VerifiedChallenge
from auth_service.otp.service import OtpChallenges
from auth_service.password.change_revocation import PasswordChangeRevocation
from auth_service.password.hasher import Hasher
from auth_service.password.model import AccountIdentifier
from auth_service.password.policy import require_acceptable_password
from auth_service.password.tickets import ResetTickets
from auth_service.session.model import SignInContext
from auth_service.settings import AuthSettings
from auth_service.user.directory import AccountReader
from auth_service.user.model import Account, User
from auth_service.user.repository import set_password
from shared.logs import mask
from shared.opaque_tokens import hash_token

FIELD = "new_password"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordResetService:
    """Sends a code, exchanges it for a ticket, and sets a password by either."""

    accounts: AccountReader
    challenges: OtpChallenges
    tickets: ResetTickets
    hasher: Hasher
    change_revocation: PasswordChangeRevocation
    audit: AuditLog
    settings: AuthSettings

    async def request_code(self, identifier: AccountIdentifier, client: Client) -> Challenge:
        """Send the account a code, and by mail a link; without an account, send nothing.

        Raises:
            RateLimited: too many codes.
        """
        async with minimum_duration():
            account = (await self.accounts.look_up(identifier.kind, identifier.value)).active
            challenge = await self._send(identifier, account, client)
            event = Event(
                "password.reset_asked",
                SignInContext(client, ()).origin,
                account.user.id if account else None,
                details={"to": mask(identifier.value)},
            )
            await self.audit.append(event)
        return challenge

    async def _send(
        self, identifier: AccountIdentifier, account: Account | None, client: Client
    ) -> Challenge:
        message = _reset_message(identifier, account) if account else DECOY
        if identifier.destination.channel == "email":
            link = MailedLink(self.settings.reset_page, self.tickets.generate())
            message = replace(message, link=link)
        return await self.challenges.send("reset_password", identifier.destination, client, message)

    async def exchange_code(
        self, identifier: AccountIdentifier, code: str, handle: str | None, context: SignInContext
    ) -> str:
        """Return a ticket for a right code; when it cannot be stored, the code stays valid.

        Raises:
            OtpInvalid: the code is wrong, used or expired, or the account has changed since.
            RateLimited: too many wrong codes.
        """
        async with self.audit.record_refusals(_reset_event(context, to=identifier.value)):
            verified = await self._verify(identifier, code, handle, context)
            async with self.challenges.restore_on_failure(verified):
                account = await self._require_unchanged(verified)
                ticket = await self.tickets.issue(
                    account, verified.context["to"], verified.requested_at
                )
                if ticket is None:
                    raise OtpInvalid
        return ticket

    async def reset_by_code(
        self,
        identifier: AccountIdentifier,
        code: str,
        handle: str | None,
        context: SignInContext,
        *,
        password: str,
    ) -> None:
        """Set the account's password, and revoke all its sessions.

        When the password is refused or cannot be stored, the code stays valid.

        Raises:
            ValidationFailed: the password is refused.
            OtpInvalid: the code is wrong, used or expired, or the account has changed since.
            RateLimited: too many wrong codes.
            RevocationPending: it is set, but other services may not know of the revocation yet.
        """
        # the part of the policy that reveals nothing about the account comes first
        require_acceptable_password(password, field=FIELD)
        async with self.audit.record_refusals(_reset_event(context, to=identifier.value)):
            verified = await self._verify(identifier, code, handle, context)
            user = await self._reset_by_challenge(verified, password, context)
        await self.change_revocation.notify_and_publish(user, "password_reset", context.client)

    async def reset_by_ticket(self, ticket: str, password: str, context: SignInContext) -> None:
        """Set the password of the ticket's account, and revoke all its sessions.

        A ticket comes from a code or a mail, and works once. When the password is refused or
        cannot be stored, it stays valid.

        Raises:
            ValidationFailed: the password is refused.
            OtpInvalid: the ticket is unknown, used or expired, or the account has changed.
            RevocationPending: it is set, but other services may not know of the revocation yet.
        """
        require_acceptable_password(password, field=FIELD)
        async with self.audit.record_refusals(_reset_event(context)):
            if not self.tickets.is_well_formed(ticket):
                raise NoActiveChallenge
            if account := await self.tickets.find(ticket):
                user = await self._reset(account, password, context, ticket=ticket)
            elif verified := await self.challenges.redeem_ticket(ticket):
                user = await self._reset_by_challenge(verified, password, context)
            else:
                raise NoActiveChallenge
        await self.change_revocation.notify_and_publish(user, "password_reset", context.client)

    async def _verify(
        self, identifier: AccountIdentifier, code: str, handle: str | None, context: SignInContext
    ) -> VerifiedChallenge:
        return await self.challenges.verify(
            "reset_password", identifier.destination, code, handle, context.client
        )

    async def _reset_by_challenge(
        self, verified: VerifiedChallenge, password: str, context: SignInContext
    ) -> User:
        async with self.challenges.restore_on_failure(verified):
            account = await self._require_unchanged(verified)
            context = replace(context, code_requested_at=verified.requested_at)
            return await self._reset(account, password, context)

    async def _reset(
        self, account: Account, password: str, context: SignInContext, *, ticket: str | None = None
    ) -> User:
        user = account.user
        require_acceptable_password(password, field=FIELD, username=user.username, email=user.email)
        fresh = await self.hasher.hash(password, context.client.network)
        event = _reset_event(context, user_id=user.id)
        async with self.change_revocation.revoke_all_transaction(user, event) as connection:
            if ticket and not await self.tickets.consume(connection, ticket):
                raise OtpInvalid
            if not await set_password(
                connection, account, fresh, code_requested_at=context.code_requested_at
            ):
                raise OtpInvalid
        return user

    async def _require_unchanged(self, verified: VerifiedChallenge) -> Account:
        """Return the account that the code was sent to, if it has not changed since.

        Raises:
            OtpInvalid: it has.
        """
        account = await self.accounts.find(UUID(verified.context["user_id"]))
        if account is None:
            raise OtpInvalid
        destinations = _verified_destinations(account.user)
        if verified.context not in [_challenge_context(account, to) for to in destinations]:
            raise OtpInvalid
        return account


def _reset_message(identifier: AccountIdentifier, account: Account) -> ChallengeMessage:
    """Address the named address if it is verified, else a verified one, mail before SMS."""
    destinations = _verified_destinations(account.user)
    named = identifier.destination
    to = named if named in destinations else destinations[0]
    context = _challenge_context(account, to)
    return ChallengeMessage(
        context, template="reset", to=None if to == named else to, has_verified_owner=True
    )


def _verified_destinations(user: User) -> list[Destination]:
    return user.destinations("email", "sms") if user.active else []


def _challenge_context(account: Account, to: Destination) -> dict[str, str]:
    """Return the data that a code is bound to: a change of any invalidates it."""
    return {
        **account.user.challenge_context,
        "password": hash_token(account.password or "").hex(),
        "to": to.address,
    }


def _reset_event(
    context: SignInContext, *, user_id: UUID | None = None, to: str | None = None
) -> Event:
    details = {"to": mask(to)} if to else {}
    return Event("password.reset", context.origin, user_id, details=details)
