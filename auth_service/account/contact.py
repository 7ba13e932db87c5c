"""Changing a user's phone number or mail address, once a code has proven the new one."""

from dataclasses import dataclass

from auth_service.account import repository
from auth_service.account.model import CONTACT_NAMES, ContactChange
from auth_service.audit.model import Event
from auth_service.audit.service import AuditLog
from auth_service.destination import Destination
from auth_service.minimum_duration import conceal_duration
from auth_service.notification.service import Notifications
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.invalidation import CodeInvalidator
from auth_service.otp.model import Challenge, ChallengeMessage, VerifiedChallenge
from auth_service.otp.service import OtpChallenges
from auth_service.session.model import Caller, SignInContext
from auth_service.session.recent_authentication import require_recent_authentication
from auth_service.settings import AuthSettings
from auth_service.user.model import User
from auth_service.user.repository import look_up_account
from shared.clock import Clock
from shared.db import Database
from shared.errors import Conflict, FieldError, ValidationFailed
from shared.logs import mask


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactService:
    """Requests a code for a new address, and stores the address when the code comes back."""

    database: Database
    challenges: OtpChallenges
    invalidator: CodeInvalidator
    notifications: Notifications
    audit: AuditLog
    clock: Clock
    settings: AuthSettings

    async def request_code(
        self, caller: Caller, to: Destination, context: SignInContext
    ) -> Challenge:
        """Send a code to the new address.

        The answer does not reveal whether another user has the address; the one who proves it
        learns that.

        Raises:
            StepUpRequired: the last authentication is too old.
            ValidationFailed: the address is already the caller's.
            RateLimited: too many codes.
        """
        now = self.clock.now()
        require_recent_authentication(caller, now)
        if caller.user.destination(to.channel) == to:
            field = "mobile" if to.channel == "sms" else "email"
            raise ValidationFailed([FieldError(field, "unchanged", "it is yours already")])
        async with conceal_duration(conceal=self.settings.conceals):
            owner = (await look_up_account(self.database, to.channel, to.address, now)).owner
            message = ChallengeMessage(
                caller.user.challenge_context, has_verified_owner=owner is not None
            )
            challenge = await self.challenges.send("change_contact", to, context.client, message)
        event = caller.event("contact.change_asked", context.origin, to=mask(to.address))
        await self.audit.append(event)
        return challenge

    async def verify_code(
        self, caller: Caller, to: Destination, code: str, handle: str | None, context: SignInContext
    ) -> User:
        """Store the address that proved the code, and notify the old one.

        Outstanding codes for either address are invalidated. When the change cannot be stored, the
        code stays valid.

        Raises:
            StepUpRequired: the last authentication is too old.
            OtpInvalid: the code is wrong, used, expired, or was requested by another user.
            RateLimited: too many wrong codes.
            Conflict: another user has the address.
        """
        require_recent_authentication(caller, self.clock.now())
        event = caller.event("contact.changed", context.origin, to=mask(to.address))
        async with self.audit.record_refusals(event):
            verified = await self.challenges.verify(
                "change_contact", to, code, handle, context.client
            )
            async with self.challenges.restore_on_failure(verified):
                change = await self._store(caller, to, verified, event)
        old = change.old_user.destination(to.channel, "sms", "email")
        if old is not None:
            await self.notifications.send(
                change.new_user,
                "contact_changed",
                context.client,
                to=old,
                what=CONTACT_NAMES[to.channel],
                new=mask(to.address),
            )
        return change.new_user

    async def _store(
        self, caller: Caller, to: Destination, verified: VerifiedChallenge, event: Event
    ) -> ContactChange:
        if verified.context != caller.user.challenge_context:
            raise OtpInvalid
        async with self.database.transaction() as connection:
            change = await repository.change_contact(
                connection, caller.user, to, event_json=self.audit.to_json(event)
            )
            if change is None:
                raise Conflict("The address is another account's")
            old = change.old_user.destination(to.channel)
            addresses = [to.address, *([old.address] if old else [])]
            await self.invalidator.invalidate(addresses)
        await self.invalidator.invalidate_and_forget_devices(addresses)
        return change
