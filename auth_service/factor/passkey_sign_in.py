"""Sign-in by a passkey alone, and options for passkeys in both kinds of sign-in.

The user types no name: the authenticator names and verifies its user.
"""

from dataclasses import dataclass, replace

from auth_service.audit.service import AuditLog
from auth_service.client import Client
from auth_service.factor.errors import MfaTicketInvalid
from auth_service.factor.model import amr_of
from auth_service.factor.repository import use_passkey
from auth_service.factor.sign_in import second_factor_ceremony
from auth_service.passkey.challenges import Ceremony
from auth_service.passkey.errors import CredentialInvalid, PasskeyRefused
from auth_service.passkey.model import PasskeyOptions, PasskeyResponse, PasskeyUse
from auth_service.passkey.service import Passkeys
from auth_service.rate_limit.model import passkey_options_scope, ticket_options_scope
from auth_service.rate_limit.service import RateLimiter
from auth_service.session.model import SignedInUser, SignInContext
from auth_service.session.repository import lock_user
from auth_service.session.sign_in.model import SignInResult
from auth_service.session.sign_in.service import SessionCreator
from auth_service.token.repository import find_ticket
from auth_service.user.repository import find_account
from shared.clock import Clock
from shared.db import Database
from shared.opaque_tokens import has_valid_checksum, hash_token

SIGN_IN = Ceremony("sign_in")


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeySignIn:
    """Signs users in by passkeys that verify them, which are two factors at once."""

    database: Database
    passkeys: Passkeys
    rate_limiter: RateLimiter
    session_creator: SessionCreator
    audit: AuditLog
    clock: Clock

    async def options(self, client: Client) -> PasskeyOptions:
        """Return options that name no passkey, and so reveal no account.

        Raises:
            PasskeysUnavailable: browsers would refuse the address of this installation.
            RateLimited: too many from the client's network.
        """
        await self.rate_limiter.count([passkey_options_scope(client)])
        return await self.passkeys.authentication_options(SIGN_IN)

    async def second_factor_options(self, ticket: str, client: Client) -> PasskeyOptions:
        """Return options that name the passkeys of the ticket's user; this is no try.

        Raises:
            MfaTicketInvalid: the ticket is unknown, used, expired, or bound to another device.
            CredentialInvalid: the user has no passkey.
            PasskeysUnavailable: browsers would refuse the address of this installation.
            RateLimited: too many with the ticket.
        """
        if not has_valid_checksum("cht_", ticket):
            raise MfaTicketInvalid
        hash_, now = hash_token(ticket), self.clock.now()
        holder = await find_ticket(self.database, "mfa", hash_, client.device, now)
        if holder is None:
            raise MfaTicketInvalid
        await self.rate_limiter.count([ticket_options_scope(hash_)])
        return await self.passkeys.authentication_options(
            second_factor_ceremony(hash_), holder.user_id
        )

    async def sign_in(self, response: PasskeyResponse, context: SignInContext) -> SignedInUser:
        """Create the session of the passkey's user.

        Raises:
            PasskeyRefused: the response or its challenge does not count, or the user may not
                sign in.
        """
        try:
            use = await self.passkeys.verify(response, SIGN_IN, context.origin)
        except CredentialInvalid as invalid:
            raise PasskeyRefused(reason=invalid.reason) from None
        context = replace(context, amr=amr_of(use))
        async with self.audit.record_refusals(context.event(user_id=use.user_id)):
            result = await self._store(use, context)
            if result is None:
                raise PasskeyRefused
        return (await self.session_creator.complete_sign_in(result, context)).signed_in

    async def _store(self, use: PasskeyUse, context: SignInContext) -> SignInResult | None:
        async with self.database.transaction() as connection:
            await lock_user(connection, use.user_id)
            if not await use_passkey(connection, use, self.clock.now()):
                return None
            account = await find_account(connection, use.user_id)
            result = account and await self.session_creator.create_session(
                connection, account, context
            )
        return result if isinstance(result, SignInResult) else None
