"""Enrolment in a second factor that a role demands, with a ticket in place of a session.

The ticket has no other use. After a sign-in by password, the first request with it also needs a
code to a verified contact: a stolen password alone adds no factor.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from uuid import UUID

from auth_service.audit.service import AuditLog
from auth_service.client import Client
from auth_service.destination import Channel
from auth_service.factor import repository
from auth_service.factor.changes import FactorChanges
from auth_service.factor.errors import MfaInvalid, MfaTicketInvalid
from auth_service.factor.model import BY_TOTP, ConfirmedFactor, PendingTotp, passkey_amr
from auth_service.factor.tickets import record_refusals, record_refused_ticket
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.model import ChallengeMessage
from auth_service.otp.service import OtpChallenges
from auth_service.passkey.model import PasskeyOptions, PasskeyResponse
from auth_service.passkey.service import Passkeys
from auth_service.session.model import BY_CODE, BY_PASSWORD, SignedInUser, SignInContext
from auth_service.session.sign_in.model import SignInResult
from auth_service.session.sign_in.service import SessionCreator
from auth_service.token.repository import (
    add_ticket_amr,
    consume_ticket,
    find_ticket,
)
from auth_service.user.model import User
from auth_service.user.repository import find_account
from shared.clock import Clock
from shared.db import Connection, Database
from shared.opaque_tokens import has_valid_checksum, hash_token

CODE_CHANNELS: tuple[Channel, ...] = ("sms", "email")
Store = Callable[[Connection, User], Awaitable[ConfirmedFactor]]
"""Stores a factor of the locked user."""


@dataclass(frozen=True, slots=True)
class EnrolmentTicket:
    """An active ticket. `amr`: the methods that its holder has proven so far."""

    hash: bytes
    user: User
    amr: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentService:
    """Adds a user's first factor, and completes the sign-in.

    A method raises `MfaTicketInvalid` for a ticket that is unknown, used, expired, or bound to
    another device. So it does when the user has added a factor meanwhile.
    """

    database: Database
    changes: FactorChanges
    passkeys: Passkeys
    challenges: OtpChallenges
    session_creator: SessionCreator
    audit: AuditLog
    clock: Clock

    async def add_totp(
        self, ticket: str, otp: str | None, name: str, context: SignInContext
    ) -> PendingTotp:
        """Store an authenticator, which counts once a code confirms it within 10 minutes.

        Raises:
            OtpInvalid: the code that was sent is missing, wrong, used or expired.
            RateLimited: too many wrong codes.
        """
        found = await self._begin(ticket, otp, context)
        return await self.changes.begin_totp(found.user, name)

    async def passkey_options(
        self, ticket: str, otp: str | None, context: SignInContext
    ) -> PasskeyOptions:
        """Return the options for a new passkey; they count with this ticket alone.

        Raises:
            OtpInvalid: the code that was sent is missing, wrong, used or expired.
            RateLimited: too many wrong codes.
            PasskeysUnavailable: browsers would refuse the address of this installation.
        """
        found = await self._begin(ticket, otp, context)
        return await self.passkeys.registration_options(found.user, found.hash.hex())

    async def confirm_totp(
        self, ticket: str, factor_id: UUID, code: str, context: SignInContext
    ) -> tuple[SignedInUser, ConfirmedFactor]:
        """Confirm the authenticator by its code, and sign its user in.

        Raises:
            NotFound: no such authenticator waits for its code.
            MfaInvalid: the code is wrong.
        """
        found = await self._find_proven(ticket, context.client)
        context = context.with_methods((*found.amr, *BY_TOTP))
        use = await self.changes.find_confirmation(found.user.id, factor_id, code)
        event = context.event(user_id=found.user.id)
        async with record_refusals(self.database, self.audit, found.hash, context.client):
            if use is None:
                raise MfaInvalid
        added = replace(event, name="factor.added", details={"kind": "totp"})
        return await self._complete(
            found,
            context,
            lambda connection, user: self.changes.confirm(connection, user, use, added),
        )

    async def add_passkey(
        self, ticket: str, response: PasskeyResponse, name: str, context: SignInContext
    ) -> tuple[SignedInUser, ConfirmedFactor]:
        """Store a passkey, and sign its user in.

        Raises:
            CredentialInvalid: the response or its challenge does not count.
        """
        found = await self._find_proven(ticket, context.client)
        new = await self.passkeys.verify_registration(response, found.hash.hex())
        context = context.with_methods((*found.amr, *passkey_amr(new.state)))
        event = context.event(user_id=found.user.id)
        added = replace(event, name="factor.added", details={"kind": "passkey"})
        return await self._complete(
            found,
            context,
            lambda connection, user: self.changes.add_passkey(connection, user, new, name, added),
        )

    async def _complete(
        self, found: EnrolmentTicket, context: SignInContext, store: Store
    ) -> tuple[SignedInUser, ConfirmedFactor]:
        async with self.database.transaction() as connection:
            user = await repository.lock_user(connection, found.user)
            is_used = await consume_ticket(
                connection, "mfa_enrolment", found.hash, self.clock.now()
            )
            if user is None or user.factor_kinds or not is_used:
                raise MfaTicketInvalid
            confirmed = await store(connection, user)
            account = await find_account(connection, user.id)
            result = account and await self.session_creator.create_session(
                connection, account, context
            )
            if not isinstance(result, SignInResult):
                raise MfaTicketInvalid
        await self.changes.notify(user, "factor_added", context.client)
        completed = await self.session_creator.complete_sign_in(result, context)
        return completed.signed_in, confirmed

    async def _begin(self, ticket: str, otp: str | None, context: SignInContext) -> EnrolmentTicket:
        found = await self._find(ticket, context.client)
        if found.amr == BY_PASSWORD:
            await self._prove_contact(found, otp, context)
        return found

    async def _find_proven(self, ticket: str, client: Client) -> EnrolmentTicket:
        found = await self._find(ticket, client)
        if found.amr == BY_PASSWORD:
            await record_refused_ticket(self.database, self.audit, found.hash, client)
            raise MfaTicketInvalid
        return found

    async def _find(self, ticket: str, client: Client) -> EnrolmentTicket:
        if not has_valid_checksum("cht_", ticket):
            raise MfaTicketInvalid
        hash_ = hash_token(ticket)
        now = self.clock.now()
        holder = await find_ticket(self.database, "mfa_enrolment", hash_, client.device, now)
        account = await find_account(self.database, holder.user_id) if holder else None
        if holder is None or account is None or account.user.factor_kinds:
            await record_refused_ticket(self.database, self.audit, hash_, client)
            raise MfaTicketInvalid
        return EnrolmentTicket(hash_, account.user, holder.amr)

    async def _prove_contact(
        self, ticket: EnrolmentTicket, otp: str | None, context: SignInContext
    ) -> None:
        """Consume the code that goes with the ticket; later requests need none.

        Raises:
            OtpInvalid: the code is missing, wrong, used or expired.
        """
        to = ticket.user.destination(*CODE_CHANNELS)
        async with record_refusals(self.database, self.audit, ticket.hash, context.client):
            if otp is None or to is None:
                raise OtpInvalid
            handle = ticket.hash.hex()
            verified = await self.challenges.verify(
                "mfa_enrolment", to, otp, handle, context.client
            )
            async with self.challenges.restore_on_failure(verified):
                if verified.context != ticket.user.challenge_context:
                    raise OtpInvalid
                await add_ticket_amr(self.database, ticket.hash, BY_CODE[to.channel])


async def send_enrolment_code(
    challenges: OtpChallenges, user: User, ticket: str, client: Client
) -> Channel | None:
    """Send the code that goes with a ticket after a password; return its channel.

    None for a user without a verified contact: that user cannot enrol.

    Raises:
        RateLimited: too many codes.
    """
    to = user.destination(*CODE_CHANNELS)
    if to is None:
        return None
    # the ticket implies the handle: others' wrong and newer codes do not touch this one
    message = ChallengeMessage(
        user.challenge_context, has_verified_owner=True, handle=hash_token(ticket).hex()
    )
    return (await challenges.send("mfa_enrolment", to, client, message)).channel
