"""The combined flow: proving a phone number signs its owner in, or signs a new user up."""

from dataclasses import dataclass, replace

from auth_service.audit.service import AuditLog
from auth_service.client import Client
from auth_service.destination import Destination
from auth_service.otp.errors import OtpInvalid
from auth_service.otp.model import Challenge, ChallengeMessage
from auth_service.otp.service import OtpChallenges
from auth_service.rate_limit.errors import LimitReached, ProofRequired
from auth_service.session.errors import AccountDisabled
from auth_service.session.model import SignInContext
from auth_service.session.sign_in.model import PendingSignIn, SignInResult, VerifiedContact
from auth_service.session.sign_in.service import SessionCreator
from auth_service.settings import AuthSettings
from auth_service.user.repository import has_verified_owner, look_up_account
from shared.clock import Clock
from shared.db import Database
from shared.entropy import Entropy, new_id
from shared.errors import ServiceUnavailable
from shared.logs import mask

MAX_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneSignInService:
    """Requests a code for a phone number, and signs in or up with it."""

    database: Database
    challenges: OtpChallenges
    session_creator: SessionCreator
    audit: AuditLog
    clock: Clock
    entropy: Entropy
    settings: AuthSettings

    async def request_code(self, number: Destination, name: str, client: Client) -> Challenge:
        """Send a code to the number; a new user gets the `name`.

        With `conceal`, no error shows that other people's traffic keeps a new user's code back.

        Raises:
            LimitReached: too many codes. Limits that other people's traffic fills never refuse a
                number with a verified owner.
        """
        # with `conceal` every request looks the owner up: a second look-up would take visible time
        is_owned = self.settings.conceals and await has_verified_owner(
            self.database, number.address
        )
        message = ChallengeMessage({"name": name}, has_verified_owner=is_owned)
        try:
            return await self.challenges.send("signup", number, client, message)
        except (LimitReached, ProofRequired) as refused:
            if is_owned or refused.applies_to != "new_contacts":
                raise
            if not await has_verified_owner(self.database, number.address):
                raise
        message = replace(message, has_verified_owner=True)
        return await self.challenges.send("signup", number, client, message)

    async def verify_code(
        self, number: Destination, code: str, handle: str | None, context: SignInContext
    ) -> SignInResult:
        """Sign the number's owner in, or a new user if it has none.

        When the sign-in cannot be stored, the code stays valid. A sign-in from a new device is
        announced to the user.

        Raises:
            OtpInvalid: the code is wrong, used or expired.
            RateLimited: too many wrong codes.
            AccountDisabled: the number's owner may not sign in.
            MfaRequired: the number's owner has a second factor.
        """
        async with self.audit.record_refusals(context.event(to=mask(number.address))):
            verified = await self.challenges.verify("signup", number, code, handle, context.client)
            async with self.challenges.restore_on_failure(verified):
                user_id = new_id(self.clock, self.entropy)
                contact = VerifiedContact(number.address, user_id, verified.context["name"])
                context = replace(context, code_requested_at=verified.requested_at)
                result = await self._create_session(contact, context)
        return await self.session_creator.complete_sign_in(result, context)

    async def _create_session(
        self, contact: VerifiedContact, context: SignInContext
    ) -> SignInResult | PendingSignIn:
        """Store the sign-in; try again when another request changed the number's owner."""
        owner = None
        async with self.database.connection() as connection:
            for _ in range(MAX_TRIES):
                result = await self.session_creator.create_session(connection, contact, context)
                if result:
                    return result
                now = self.clock.now()
                owner = (await look_up_account(connection, "sms", contact.phone_number, now)).owner
                if owner and not owner.user.active:
                    raise AccountDisabled
        if owner:  # the owner revoked all sessions after the code was requested
            raise OtpInvalid
        raise ServiceUnavailable
