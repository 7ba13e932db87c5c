"""Creating a session, whatever the first factor was.

Every sign-in ends in `SessionCreator.create_session`, and one statement stores every session; the
ways to sign in differ in how it finds the user. That statement stores nothing for a user with a
second factor which the sign-in has not proven. The user then gets a ticket in place of a session,
unless the device is remembered.
"""

from dataclasses import dataclass

from auth_service.audit.model import Event
from auth_service.audit.service import AuditLog
from auth_service.client import Client
from auth_service.device.repository import is_remembered
from auth_service.session.model import MFA, SessionLifetimes, SignedInUser, SignInContext
from auth_service.session.sign_in import repository
from auth_service.session.sign_in.completion import SignInCompletion
from auth_service.session.sign_in.model import (
    MAX_SESSIONS,
    MFA_TICKET_LIFE,
    RECOVERY_CODE,
    NewSession,
    NewTicket,
    PendingSignIn,
    SignInResult,
    StoredSignIn,
    VerifiedContact,
    require_complete,
)
from auth_service.settings import AuthSettings
from auth_service.user.model import Account, User
from shared.clock import Clock
from shared.db import Connection, Database, Executor
from shared.entropy import Entropy, new_id
from shared.opaque_tokens import SECRET_BYTES, encode_token, hash_token


async def find_methods(executor: Executor, user: User) -> tuple[str, ...]:
    """Return how the user can prove a second factor."""
    has_codes = await repository.has_recovery_codes(executor, user.id)
    return (*user.factor_kinds, *((RECOVERY_CODE,) if has_codes else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCreator:
    """Creates sessions, if the account has not changed since it was read."""

    database: Database
    completion: SignInCompletion
    audit: AuditLog
    lifetimes: SessionLifetimes
    settings: AuthSettings
    clock: Clock
    entropy: Entropy

    async def sign_in(
        self, account: Account, context: SignInContext
    ) -> SignedInUser | PendingSignIn | None:
        """Create and complete a session of the account, unless a second factor has to follow.

        None when the account has changed since it was read, or may not sign in.
        """
        async with self.database.connection() as connection:
            result = await self.create_session(connection, account, context)
        if not isinstance(result, SignInResult):
            return result
        await self.complete_sign_in(result, context)
        return result.signed_in

    async def create_session(
        self, connection: Connection, owner: Account | VerifiedContact, context: SignInContext
    ) -> SignInResult | PendingSignIn | None:
        """Store a session by one statement; `complete_sign_in` has to follow the commit.

        For a user with a second factor that `context` does not name, a ticket is stored instead. So
        it is for a user without one whose role needs one.
        None when the account has changed since it was read, another request created the contact's
        user at this moment, or the user may not sign in; nothing was stored then.
        """
        has_factor = MFA in context.amr
        result = await self._store_session(connection, owner, context, may_lack_factor=has_factor)
        if result or has_factor:
            return result
        async with connection.transaction():
            user = await repository.lock_user_with_factor(
                connection, owner, context.code_requested_at, self.settings.mfa_required_roles
            )
            if user is None:
                return None
            if user.factor_kinds and await self._is_remembered(connection, user, context.client):
                return await self._store_session(connection, owner, context, may_lack_factor=True)
            return await self._store_ticket(connection, user, context)

    async def _is_remembered(self, connection: Connection, user: User, client: Client) -> bool:
        if client.device is None or client.device_is_new or not self.settings.mfa_remember_days:
            return False
        now = self.clock.now()
        return await is_remembered(connection, user.id, client.device, now)

    async def _store_session(
        self,
        connection: Connection,
        owner: Account | VerifiedContact,
        context: SignInContext,
        *,
        may_lack_factor: bool,
    ) -> SignInResult | None:
        token = encode_token("chr_", self.entropy.bytes(SECRET_BYTES))
        event = context.event()
        if may_lack_factor and MFA not in context.amr:
            event = context.event(second_factor="remembered")
        now = self.clock.now()
        expires_at = now + self.lifetimes.absolute
        new = NewSession(
            id=new_id(self.clock, self.entropy),
            context=context,
            now=now,
            expires_at=expires_at,
            refresh_hash=hash_token(token),
            refresh_expires_at=self.lifetimes.refresh_expiry(expires_at, now),
            event_json=self.audit.to_json(event),
            may_lack_factor=may_lack_factor,
            factor_roles=self.settings.mfa_required_roles,
        )
        stored = await repository.insert_session(connection, owner, new)
        if stored is None:
            return None
        ended = stored.has_many_sessions and await self._revoke_surplus(connection, stored, context)
        signed_in = SignedInUser(stored.user, stored.session, token, new.refresh_expires_at)
        return SignInResult(signed_in, stored.is_new, stored.known_network, ended_others=ended)

    async def _store_ticket(
        self, connection: Connection, user: User, context: SignInContext
    ) -> PendingSignIn:
        token = encode_token("cht_", self.entropy.bytes(SECRET_BYTES))
        now, client = self.clock.now(), context.client
        event = self.audit.to_json(Event("user.mfa_asked", context.origin, details=context.details))
        new = NewTicket(
            scope="mfa" if user.factor_kinds else "mfa_enrolment",
            hash=hash_token(token),
            device=None if client.device_is_new else client.device,
            amr=context.amr,
            created_at=now,
            expires_at=now + MFA_TICKET_LIFE,
        )
        await repository.insert_ticket(connection, user, new, event_json=event)
        methods = await find_methods(connection, user) if user.factor_kinds else ()
        return PendingSignIn(token, methods)

    async def _revoke_surplus(
        self, connection: Connection, stored: StoredSignIn, context: SignInContext
    ) -> bool:
        event = Event("session.revoked", context.origin, stored.user.id)
        return await repository.revoke_surplus(
            connection,
            stored,
            MAX_SESSIONS,
            event_json=self.audit.to_json(event),
            until=self.lifetimes.revocation_expiry(stored.session.created_at),
        )

    async def complete_sign_in(
        self, result: SignInResult | PendingSignIn, context: SignInContext
    ) -> SignInResult:
        """Complete a committed sign-in: publish, remember the device, notify the user.

        Raises:
            MfaRequired: it waits for a second factor.
            MfaEnrolmentRequired: it waits for the user to add one.
        """
        completed = require_complete(result)
        await self.completion.complete(completed, context)
        return completed
