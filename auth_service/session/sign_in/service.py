"""Where a session is created, whatever the first factor was.

Every way in ends in `Opener.open_in`, and one statement stores every session; the ways differ in
how it finds the user. A second factor will be asked for here: `repository.MAY_ENTER`, by which
that statement lets a user in, leaves out who has one, and `open_in` says what is missing.
"""

from contextlib import suppress

import structlog

from auth_service.audit.model import Event
from auth_service.audit.service import AuditLog
from auth_service.client import Client
from auth_service.device.service import KnownDevices
from auth_service.notification.service import SIGN_IN, Notifications
from auth_service.opaque_tokens import SECRET_BYTES, encode_token, hash_token
from auth_service.revocation.errors import RevocationPending
from auth_service.revocation.service import Publisher
from auth_service.session.model import SessionLifetimes, SignedInUser, SignInContext
from auth_service.session.sign_in import repository
from auth_service.session.sign_in.model import (
    MAX_SESSIONS,
    NewSession,
    SignInResult,
    StoredSignIn,
    VerifiedContact,
)
from auth_service.user.model import Account, User
from shared.clock import Clock
from shared.db import Connection, Database
from shared.entropy import Entropy, new_id
from shared.errors import ServiceUnavailable

log = structlog.get_logger()


class SessionCreator:
    """Creates sessions. A session is stored only while the account is still as it was read."""

    def __init__(
        self,
        database: Database,
        devices: KnownDevices,
        notifications: Notifications,
        audit: AuditLog,
        lives: SessionLifetimes,
        *,
        publisher: Publisher,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """Write to `database`, with an event for each session."""
        self._database = database
        self._devices = devices
        self._notifications = notifications
        self._audit = audit
        self._lives = lives
        self._publisher = publisher
        self._clock = clock
        self._entropy = entropy

    async def open(self, account: Account, context: SignInContext) -> SignedInUser | None:
        """Sign the user in; one who was not seen with this device before is told of it.

        None when the account has changed since it was read, or may not be signed in.
        """
        async with self._database.connection() as connection:
            result = await self.create_session(connection, account, context)
        if result is None:
            return None
        await self.complete_sign_in(result, context)
        return result.signed_in

    async def create_session(
        self, connection: Connection, whose: Account | VerifiedContact, context: SignInContext
    ) -> SignInResult | None:
        """Sign the user in, by one statement; nobody is told, and nothing is published.

        None when the account has changed since it was read, somebody else made the holder at this
        moment, or they may not be signed in; nothing was stored then.
        """
        token = encode_token("chr_", self._entropy.bytes(SECRET_BYTES))
        now = self._clock.now()
        ends = now + self._lives.absolute
        new = NewSession(
            id=new_id(self._clock, self._entropy),
            client=context.client,
            amr=context.amr,
            now=now,
            expires_at=ends,
            refresh_hash=hash_token(token),
            refresh_expires_at=self._lives.refresh_expiry(ends, now),
            event=self._audit.to_json(context.event()),
            code_requested_at=context.code_requested_at,
        )
        opened = await repository.insert_session(connection, whose, new)
        if opened is None:
            return None
        ended = opened.has_many_sessions and await self._revoke_surplus(connection, opened, context)
        signed_in = SignedInUser(opened.user, opened.session, token, new.refresh_expires_at)
        return SignInResult(signed_in, opened.is_new, opened.known_network, ended_others=ended)

    async def _revoke_surplus(
        self, connection: Connection, opened: StoredSignIn, context: SignInContext
    ) -> bool:
        event = Event("session.revoked", context.origin, opened.user.id)
        return await repository.revoke_surplus(
            connection,
            opened,
            MAX_SESSIONS,
            event=self._audit.to_json(event),
            until=self._lives.revocation_expiry(opened.session.created_at),
        )

    async def complete_sign_in(self, result: SignInResult, context: SignInContext) -> None:
        """Finish a sign-in that is committed: publish, remember the device, announce a new one.

        Nothing here keeps anybody from signing in. Sessions that the sign-in ended are published
        soon after where Redis is away.
        """
        user, client = result.signed_in.user, context.client
        if result.ended_others:
            with suppress(RevocationPending):
                await self._publisher.publish_pending_of_user(user.id)
        known = await self._remember_device(user, client)
        if known or result.is_new or (client.device_is_new and result.known_network):
            return
        await self._notifications.send(user, SIGN_IN, client)

    async def _remember_device(self, user: User, client: Client) -> bool:
        if client.device is None:
            return False
        try:
            return await self._devices.remember(user.id, user.code_identifiers, client.device)
        except ServiceUnavailable:
            log.warning("device.remember_failed", user_id=str(user.id))
            return False
