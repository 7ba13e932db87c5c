"""The second step of a sign-in: a client sends the ticket of the first and a second factor."""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from auth_service.audit.model import Event
from auth_service.audit.service import AuditLog
from auth_service.device.model import RememberedDevice
from auth_service.device.repository import remember_device
from auth_service.factor.errors import MfaInvalid, MfaTicketInvalid
from auth_service.factor.model import Proof, amr_of
from auth_service.factor.tickets import record_refused_ticket
from auth_service.factor.verification import FactorVerifier
from auth_service.passkey.challenges import Ceremony
from auth_service.session.model import SignedInUser, SignInContext
from auth_service.session.repository import lock_user
from auth_service.session.sign_in.model import SignInResult
from auth_service.session.sign_in.service import SessionCreator
from auth_service.settings import AuthSettings
from auth_service.token.repository import consume_ticket, count_ticket_try, refund_ticket_try
from auth_service.user.repository import find_account
from shared.clock import Clock
from shared.db import Connection, Database
from shared.entropy import Entropy, new_id
from shared.errors import ServiceUnavailable
from shared.opaque_tokens import has_valid_checksum, hash_token

MAX_TRIES = 5
"""Tries of a second factor with one ticket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorSignIn:
    """Completes sign-ins that wait for a second factor."""

    database: Database
    factor_verifier: FactorVerifier
    session_creator: SessionCreator
    audit: AuditLog
    settings: AuthSettings
    clock: Clock
    entropy: Entropy

    async def verify(
        self, ticket: str, proof: Proof, context: SignInContext, *, remember: bool = False
    ) -> SignedInUser:
        """Create the session; ticket and proof are used together, or neither is.

        `remember`: the device is not asked again for `MFA_REMEMBER_DAYS`.

        Raises:
            MfaTicketInvalid: the ticket is unknown, used, expired, tried 5 times, or bound to
                another device.
            MfaInvalid: the proof is wrong or was used before; the ticket stays valid.
            RateLimited: too many proofs of that user.
            ServiceUnavailable: the proof could not be checked; neither ticket nor proof is used.
        """
        client, now = context.client, self.clock.now()
        if not has_valid_checksum("cht_", ticket):
            raise MfaTicketInvalid
        hash_ = hash_token(ticket)
        holder = await count_ticket_try(self.database, hash_, client.device, MAX_TRIES, now)
        if holder is None:
            await record_refused_ticket(self.database, self.audit, hash_, client)
            raise MfaTicketInvalid
        user_id, context = holder.user_id, replace(context, amr=holder.amr)
        event = context.event(user_id=user_id, factor=proof.method)
        async with self.audit.record_refusals(event, limits=True):
            try:
                async with self.factor_verifier.attempt(user_id, proof, client.device) as refund:
                    result = await self._sign_in(user_id, hash_, proof, context, remember=remember)
            except ServiceUnavailable:
                await refund_ticket_try(self.database, hash_)
                raise
            if result is None:
                raise MfaInvalid
        await refund()
        completed = await self.session_creator.complete_sign_in(result, context)
        await self.factor_verifier.notify_used(completed.signed_in.user, proof, client)
        return completed.signed_in

    async def _sign_in(
        self,
        user_id: UUID,
        ticket_hash: bytes,
        proof: Proof,
        context: SignInContext,
        *,
        remember: bool,
    ) -> SignInResult | None:
        """Store the session; None for a wrong proof.

        Raises:
            MfaTicketInvalid: the ticket was used or the account has changed meanwhile.
        """
        uses = await self.factor_verifier.find_uses(
            user_id, proof, second_factor_ceremony(ticket_hash), context.origin
        )
        if not uses:
            return None
        context = context.with_methods(amr_of(uses[0]))
        async with self.database.transaction() as connection:
            await lock_user(connection, user_id)
            if not await self.factor_verifier.use(connection, uses):
                return None
            # whatever ends the user's access removes the tickets too
            if not await consume_ticket(connection, "mfa", ticket_hash, self.clock.now()):
                raise MfaTicketInvalid
            account = await find_account(connection, user_id)
            result = account and await self.session_creator.create_session(
                connection, account, context
            )
            if not isinstance(result, SignInResult):
                raise MfaTicketInvalid
            if remember and self.settings.mfa_remember_days:
                await self._remember(connection, user_id, context)
        return result

    async def _remember(
        self, connection: Connection, user_id: UUID, context: SignInContext
    ) -> None:
        client, now = context.client, self.clock.now()
        expires_at = now + timedelta(days=self.settings.mfa_remember_days)
        device_id = new_id(self.clock, self.entropy)
        event = self.audit.to_json(Event("device.remembered", context.origin, user_id))
        device = RememberedDevice(device_id, client.user_agent, now, expires_at)
        await remember_device(connection, user_id, device, client.device or b"", event_json=event)


def second_factor_ceremony(ticket_hash: bytes) -> Ceremony:
    """Return the ceremony of a passkey in the second step of a sign-in."""
    return Ceremony("second_factor", ticket_hash.hex())
