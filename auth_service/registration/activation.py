"""Activating a registration by its code, which signs its user in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from auth_service.audit.model import Event
from auth_service.audit.service import AuditLog
from auth_service.destination import Destination
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.model import VerifiedChallenge
from auth_service.otp.service import OtpChallenges
from auth_service.registration import repository
from auth_service.registration.model import RESENT, SelectedRegistration, select_registration
from auth_service.session.errors import AccountDisabled
from auth_service.session.model import SignedInUser, SignInContext
from auth_service.session.sign_in.model import PendingSignIn, SignInResult
from auth_service.session.sign_in.service import SessionCreator
from auth_service.settings import AuthSettings
from auth_service.user.model import Account
from auth_service.user.repository import look_up_account
from shared.clock import Clock
from shared.db import Connection, Database
from shared.errors import ServiceUnavailable
from shared.logs import mask

MAX_TRIES = 3
RegistrationSelector = Callable[[Sequence[UUID]], SelectedRegistration | None]
"""Selects the registration to activate among the open ones, the newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationService:
    """Turns a registration into an account, and signs its user in."""

    database: Database
    challenges: OtpChallenges
    session_creator: SessionCreator
    audit: AuditLog
    clock: Clock
    settings: AuthSettings

    async def verify_code(
        self, destination: Destination, code: str, handle: str | None, context: SignInContext
    ) -> SignedInUser:
        """Activate the registration of the code, and sign its user in.

        When the account cannot be stored, the code stays valid.

        Raises:
            OtpInvalid: the code is wrong, used or expired, or the registration is gone.
            RateLimited: too many wrong codes.
            AccountDisabled: the address belongs to an account that may not sign in.
            MfaRequired: the address belongs to an account with a second factor.
        """
        event = context.event(to=mask(destination.address))
        async with self.audit.record_refusals(event):
            verified = await self.challenges.verify(
                "verify", destination, code, handle, context.client
            )
            async with self.challenges.restore_on_failure(verified):
                select = partial(_select, verified, by_handle=bool(handle))
                context = replace(context, code_requested_at=verified.requested_at)
                result = await self._activate_and_sign_in(destination, select, context)
        return (await self.session_creator.complete_sign_in(result, context)).signed_in

    async def _activate_and_sign_in(
        self, destination: Destination, select: RegistrationSelector, context: SignInContext
    ) -> SignInResult | PendingSignIn:
        async with self.database.transaction() as connection:
            account, is_new = await self._activate(connection, destination, select, context)
            result = await self.session_creator.create_session(connection, account, context)
            if result is None:
                raise OtpInvalid if account.user.active else AccountDisabled
        return replace(result, is_new=is_new) if isinstance(result, SignInResult) else result

    async def _activate(
        self,
        connection: Connection,
        destination: Destination,
        select: RegistrationSelector,
        context: SignInContext,
    ) -> tuple[Account, bool]:
        """Return the account with the address, and whether it was a registration until now."""
        now = self.clock.now()
        for _ in range(MAX_TRIES):  # another request may activate the address, or take the username
            open_ = await repository.lock_open_registrations(connection, destination, now)
            found = await look_up_account(connection, destination.channel, destination.address, now)
            if found.owner:
                return found.owner, False
            selected = select(open_)
            if selected is None:
                raise OtpInvalid
            account = await repository.activate(
                connection, destination, selected, conceals=self.settings.conceals
            )
            if account:
                await repository.remove_registrations(connection, open_)
                event = Event("user.activated", context.origin, account.user.id)
                await self.audit.append(event, connection)
                return account, True
        raise ServiceUnavailable


def _select(
    verified: VerifiedChallenge, open_: Sequence[UUID], *, by_handle: bool
) -> SelectedRegistration | None:
    sent_for = verified.context.get("user_id")
    if RESENT in verified.context and not by_handle:
        sent_for = None  # its requester and its recipient may be two people
    return select_registration(open_, UUID(sent_for) if sent_for else None, by_handle=by_handle)
